//! An evidence file on disk, read where it lies: of a province's gigabyte only what is being
//! checked is in memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use protocol::evidence::file::Source;

/// A file, as long as it was when it was opened.
#[derive(Debug)]
pub struct OnDisk {
    file: File,
    size: u64,
}

impl OnDisk {
    /// Opens a file.
    ///
    /// # Errors
    /// What the system says; `InvalidInput` for a pipe or a folder, which cannot be read at any
    /// place.
    pub fn open(path: &Path) -> io::Result<OnDisk> {
        let file = File::open(path)?;
        let about = file.metadata()?;
        if !about.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "is no plain file: save it to one first",
            ));
        }
        Ok(OnDisk {
            size: about.len(),
            file,
        })
    }
}

impl Source for OnDisk {
    fn size(&self) -> u64 {
        self.size
    }
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }
}
