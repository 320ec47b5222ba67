//! Files of text that people save: keys, tokens, lists, the configuration.

use std::path::Path;

use zeroize::Zeroize;

use crate::fault::FaultCode;

/// Why a file of text cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TextFileError {
    /// What the system says.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It is saved in another encoding than UTF-8.
    #[error(
        "文件不是 UTF-8 文本（PowerShell 的 > 写出的是 UTF-16）：请另存为 UTF-8，或用 cmd 重新生成 / the file \
         is no UTF-8 text (what PowerShell writes with > is UTF-16): save it as UTF-8, or make it \
         anew in cmd [{code}]",
        code = FaultCode::FileText
    )]
    Encoding,
}

/// Reads a file of text. What cannot be read may be a secret, and is wiped.
///
/// # Errors
/// See [`TextFileError`].
pub fn read(path: &Path) -> Result<String, TextFileError> {
    let text = String::from_utf8(std::fs::read(path)?).map_err(|error| {
        error.into_bytes().zeroize();
        TextFileError::Encoding
    })?;
    // UTF-16 without a mark: every second byte of a Latin letter is 0.
    if text.contains('\0') {
        return Err(TextFileError::Encoding);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_encoding_is_told_in_both_languages() {
        let file = std::env::temp_dir().join(format!("cs-text-file-{}", std::process::id()));
        let read = |bytes: &[u8]| {
            std::fs::write(&file, bytes).unwrap();
            super::read(&file)
        };
        let utf16 =
            |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
        for bytes in [utf16("\u{feff}root+key"), utf16("root+key"), vec![0xff; 8]] {
            let error = read(&bytes).unwrap_err().to_string();
            assert!(error.contains("请另存为 UTF-8"), "{error}");
            assert!(error.ends_with("[file.text]"), "{error}");
        }
        assert_eq!(
            read("\u{feff}密钥\r\n".as_bytes()).unwrap(),
            "\u{feff}密钥\r\n"
        );
        std::fs::remove_file(&file).unwrap();
        assert!(matches!(super::read(&file), Err(TextFileError::Io(_))));
    }
}
