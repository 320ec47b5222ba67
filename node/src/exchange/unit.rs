//! The unit of an amount of money. It is never guessed: 3500 is a wage in 元 and a mistake in 分.

/// What amounts of a column are counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MoneyUnit {
    /// 分, the hundredth of a yuan.
    Fen,
    /// 元.
    Yuan,
    /// 万元.
    TenThousandYuan,
}

/// How a heading that is folded ends, and which unit that is.
const ENDINGS: [(&str, MoneyUnit); 12] = [
    ("(万元)", MoneyUnit::TenThousandYuan),
    ("(单位:万元)", MoneyUnit::TenThousandYuan),
    ("/万元", MoneyUnit::TenThousandYuan),
    ("(元)", MoneyUnit::Yuan),
    ("(单位:元)", MoneyUnit::Yuan),
    ("(人民币元)", MoneyUnit::Yuan),
    ("(元/月)", MoneyUnit::Yuan),
    ("/元", MoneyUnit::Yuan),
    ("_yuan", MoneyUnit::Yuan),
    ("(yuan)", MoneyUnit::Yuan),
    ("(分)", MoneyUnit::Fen),
    ("_fen", MoneyUnit::Fen),
];

impl MoneyUnit {
    /// A folded heading without its unit, and the unit.
    pub(super) fn of_heading(heading: &str) -> (&str, Option<MoneyUnit>) {
        let found = ENDINGS.iter().find_map(|(ending, unit)| {
            let name = heading.strip_suffix(ending)?;
            Some((name, Some(*unit)))
        });
        found.unwrap_or((heading, None))
    }

    /// A folded cell without the unit behind its number, and the unit.
    pub(super) fn behind(cell: &str) -> (&str, Option<MoneyUnit>) {
        let words = [
            ("万元", MoneyUnit::TenThousandYuan),
            ("元整", MoneyUnit::Yuan),
            ("元", MoneyUnit::Yuan),
            ("分", MoneyUnit::Fen),
        ];
        let found = words.iter().find_map(|(word, unit)| {
            let digits = cell.strip_suffix(word)?;
            Some((digits, Some(*unit)))
        });
        found.unwrap_or((cell, None))
    }

    /// How many places behind the point are whole 分.
    pub(super) const fn decimals(self) -> usize {
        match self {
            MoneyUnit::Fen => 0,
            MoneyUnit::Yuan => 2,
            MoneyUnit::TenThousandYuan => 6,
        }
    }

    /// Its name.
    pub(super) const fn zh(self) -> &'static str {
        match self {
            MoneyUnit::Fen => "分",
            MoneyUnit::Yuan => "元",
            MoneyUnit::TenThousandYuan => "万元",
        }
    }
}
