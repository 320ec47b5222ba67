//! What `timeliness` can find.

use chrono::NaiveDate;

use super::code::Code;

/// What `timeliness` found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimelinessFinding {
    /// In time.
    #[error("arrived {day}, due {due}")]
    OnTime {
        /// The day in China on which it arrived.
        day: NaiveDate,
        /// The last day on which it is on time.
        due: NaiveDate,
    },
    /// After the deadline.
    #[error("late: arrived {day}, due {due}")]
    Late {
        /// The day in China on which it arrived.
        day: NaiveDate,
        /// The last day on which it is on time.
        due: NaiveDate,
    },
    /// Nobody can tell.
    #[error("not known: no receipt tells when it arrived, or no plan sets a deadline")]
    Unknown,
}

impl TimelinessFinding {
    /// What was found.
    pub fn code(&self) -> Code {
        match self {
            Self::OnTime { .. } => Code::OnTime,
            Self::Late { .. } => Code::Late,
            Self::Unknown => Code::ArrivalUnknown,
        }
    }

    /// The sentence in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::OnTime { day, due } => format!("{day} 到达,期限 {due}"),
            Self::Late { day, due } => format!("逾期:{day} 到达,期限 {due}"),
            Self::Unknown => "不知:没有回执说明到达时间,或没有计划规定期限".into(),
        }
    }
}
