//! Why an evidence file is refused.

use std::fmt;

/// Why a file is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// Not a zip, or damaged.
    #[error("not an evidence file: {0} [evidence.zip]")]
    Zip(String),
    /// More than the format can hold.
    #[error("larger than one evidence file can be: 4 GiB and 65,534 parts [evidence.large]")]
    Large,
    /// A path that does not belong.
    #[error("{0}: does not belong into an evidence file [evidence.path]")]
    Path(String),
    /// A part that cannot be read.
    #[error("{path}: {message} [evidence.part]")]
    Part {
        /// Where.
        path: String,
        /// What is wrong.
        message: String,
    },
    /// Bytes that writing the content again would not give.
    #[error(
        "the file is not written the one way in which evidence is written: some byte was changed [evidence.bytes]"
    )]
    Bytes,
    /// The same parts, packed by another program.
    #[error(
        "the file was packed anew, by a mail gateway or an archive program: nothing is said of its content; get the original file, whose every byte is part of the proof [evidence.repacked]"
    )]
    Repacked,
    /// Where the statements lie, they cannot be read.
    #[error("the statements cannot be read: {0} [evidence.source]")]
    Source(String),
    /// It could not be written.
    #[error("evidence cannot be written: {0} [evidence.write]")]
    Write(String),
}

impl FileError {
    pub(super) fn zip(message: impl fmt::Display) -> FileError {
        FileError::Zip(message.to_string())
    }
    pub(super) fn part(path: &str, message: impl fmt::Display) -> FileError {
        FileError::Part {
            path: path.to_string(),
            message: message.to_string(),
        }
    }
    pub(super) fn write(error: std::io::Error) -> FileError {
        FileError::Write(error.to_string())
    }
}
