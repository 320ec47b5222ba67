//! Where what stands in a segment file, said once more: files of years ago lie like this, so that a
//! constant that is changed by mistake is found here.

/// The length of a segment's header.
pub const HEADER: usize = 40;
/// The length of what stands before the entries of a batch.
pub const BATCH_HEAD: usize = 36;
/// The length of what stands before an entry's parts.
pub const ENTRY_HEAD: usize = 32;
/// The mark of a sealed part that is there.
pub const LIVE: u8 = 0xA5;
/// The mark of a sealed part that was erased.
pub const ERASED: u8 = 0x5A;

/// A whole header of a format, with the first number 0.
pub fn header_of_version(version: u32) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..8].copy_from_slice(b"CSJRNL\r\n");
    bytes[8..12].copy_from_slice(&version.to_le_bytes());
    bytes[24..32].fill(1);
    let crc = crc32fast::hash(&bytes[..36]);
    bytes[36..].copy_from_slice(&crc.to_le_bytes());
    bytes
}
