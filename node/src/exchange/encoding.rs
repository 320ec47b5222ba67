//! The bytes of a file into text: UTF-8, UTF-16 and GB18030, each file in one of them.

use encoding_rs::{Encoding, GB18030, UTF_16BE, UTF_16LE};

use crate::fault::{Fault, FaultCode, Faults};

const UTF8_MARK: &[u8] = b"\xef\xbb\xbf";

/// Decodes text: UTF-16 by its mark or by its zeros, UTF-8 if it is, with any number of marks, else
/// GB18030 if that fits.
///
/// # Errors
/// Bytes that are none of them; a file whose rows belong to two encodings, with the row where the
/// second one begins.
pub fn decode(bytes: &[u8]) -> Result<String, Faults> {
    let text = match utf16(bytes) {
        Some(encoding) => whole(bytes, encoding)?,
        None => eight_bit(bytes)?,
    };
    if text.contains('\0') {
        return Err(Faults::one(
            FaultCode::FileUnreadable,
            "文件中有空字符，不是文本文件。请从原系统重新导出，或另存为“CSV UTF-8（逗号分隔）”。",
            "the file has null characters and is no text: export it anew, or save it as “CSV UTF-8”",
        ));
    }
    Ok(text)
}

fn eight_bit(bytes: &[u8]) -> Result<String, Faults> {
    let mut bytes = bytes;
    // Two programs in a row that each write a mark leave two.
    while let Some(rest) = bytes.strip_prefix(UTF8_MARK) {
        bytes = rest;
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Ok(text.to_string());
    }
    one_encoding(bytes)?;
    whole(bytes, GB18030)
}

fn whole(bytes: &[u8], encoding: &'static Encoding) -> Result<String, Faults> {
    let (text, wrong) = encoding.decode_with_bom_removal(bytes);
    if wrong {
        return Err(unknown_encoding(first_unreadable(bytes)));
    }
    Ok(text.trim_start_matches('\u{feff}').to_string())
}

fn unknown_encoding(row: Option<u64>) -> Faults {
    let fault = Fault::new(
        FaultCode::FileEncoding,
        "文件编码无法识别（不是 UTF-8、UTF-16 或 GB18030）。请另存为“CSV UTF-8（逗号分隔）”后重新导入。",
        "the file is neither UTF-8 nor UTF-16 nor GB18030: save it as “CSV UTF-8” and import it again",
    );
    match row {
        Some(row) => fault.row(row).into(),
        None => fault.into(),
    }
}

/// Which UTF-16 a file is in, if any: Excel's “Unicode text” has a mark; without one, every second
/// byte of digits and separators is 0.
fn utf16(bytes: &[u8]) -> Option<&'static Encoding> {
    match bytes {
        [0xff, 0xfe, ..] => return Some(UTF_16LE),
        [0xfe, 0xff, ..] => return Some(UTF_16BE),
        _ => {}
    }
    let sample = &bytes[..bytes.len().min(4096)];
    let zeros = |from: usize| sample.iter().skip(from).step_by(2).filter(|b| **b == 0);
    let (even, odd) = (zeros(0).count(), zeros(1).count());
    let many = sample.len() / 8;
    if sample.len() < 8 {
        return None;
    }
    match (even, odd) {
        (0, odd) if odd > many => Some(UTF_16LE),
        (even, 0) if even > many => Some(UTF_16BE),
        _ => None,
    }
}

/// What a line shows of its encoding.
#[derive(PartialEq, Eq, Clone, Copy)]
enum Shown {
    /// Nothing: it reads alike in both.
    Nothing,
    /// Chinese in UTF-8. A line of GB18030 practically never reads so by chance.
    Utf8,
    /// It is not UTF-8.
    Other,
}

fn shown(line: &[u8]) -> Shown {
    match std::str::from_utf8(line) {
        Ok(text) if text.chars().any(|c| c >= '\u{2e80}') => Shown::Utf8,
        Ok(_) => Shown::Nothing,
        Err(_) => Shown::Other,
    }
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8])> {
    (1..).zip(bytes.split(|b| *b == b'\n'))
}

/// Refuses a file of which some lines are UTF-8 and others are not: read as one encoding, the names
/// in the others would be recorded as signs that nobody can read.
fn one_encoding(bytes: &[u8]) -> Result<(), Faults> {
    let first = |kind| {
        let found = lines(bytes).find(|(_, line)| shown(line) == kind);
        found.map(|(row, _)| row)
    };
    let (Some(utf8), Some(other)) = (first(Shown::Utf8), first(Shown::Other)) else {
        return Ok(());
    };
    let row = utf8.max(other);
    let (here, before) = if row == other {
        ("GB18030", "UTF-8")
    } else {
        ("UTF-8", "GB18030")
    };
    let fault = Fault::new(
        FaultCode::FileEncoding,
        format!(
            "第 {row} 行起与前面的编码不同（前面是 {before}，这一行是 {here}，或文件被截断）。\
             多半是两台电脑的内容拼成了一个文件，请用表格软件打开原文件，合并后另存为“CSV UTF-8（逗号分隔）”。"
        ),
        format!(
            "from row {row} on the encoding is another ({before} before, {here} here, or the file \
             was cut off): probably the files of two computers were put together; open them in a \
             spreadsheet, put them together there, and save as “CSV UTF-8”"
        ),
    );
    Err(fault.row(row).into())
}

fn first_unreadable(bytes: &[u8]) -> Option<u64> {
    let unreadable = |line: &[u8]| GB18030.decode_without_bom_handling(line).1;
    lines(bytes)
        .find(|(_, line)| shown(line) == Shown::Other && unreadable(line))
        .map(|(row, _)| row)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_encoding_gives_the_same_text() {
        let text = "姓名,测试\r\n1,2\r\n";
        let utf8 = text.as_bytes().to_vec();
        let marked = [UTF8_MARK, &utf8].concat();
        let twice = [UTF8_MARK, &marked].concat();
        let gb = GB18030.encode(text).0.into_owned();
        let le: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let be: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let le_marked = [b"\xff\xfe".to_vec(), le.clone()].concat();
        let be_marked = [b"\xfe\xff".to_vec(), be.clone()].concat();
        for bytes in [utf8, marked, twice, gb, le, be, le_marked, be_marked] {
            assert_eq!(decode(&bytes).unwrap(), text);
        }
        for bytes in [&[0xff, 0xff, 0x00][..], &[0xff, 0xfe, 0xff]] {
            assert_eq!(decode(bytes).unwrap_err().0[0].code, "file.encoding");
        }
        assert_eq!(decode(b"a\0b").unwrap_err().0[0].code, "file.unreadable");
    }

    #[test]
    fn a_file_of_two_encodings_is_refused_with_the_row() {
        let mut mixed = "姓名\n张三\n李四\n".as_bytes().to_vec();
        mixed.extend_from_slice(&GB18030.encode("王五\n").0);
        let fault = decode(&mixed).unwrap_err().0.remove(0);
        assert_eq!((fault.row, fault.code == "file.encoding"), (Some(4), true));
        // The control: all rows in one encoding.
        let whole = GB18030.encode("姓名\n张三\n李四\n王五\n").0.into_owned();
        assert!(decode(&whole).unwrap().ends_with("王五\n"));
    }
}
