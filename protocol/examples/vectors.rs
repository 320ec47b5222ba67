//! Writes the known-answer vectors to `tests/vectors`. They change only with the version of a
//! format.
#![allow(clippy::unwrap_used)]

use kit::{refuse, vectors};

fn main() -> std::io::Result<()> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors");
    std::fs::create_dir_all(folder.join("refuse"))?;
    for (name, bytes) in vectors::files() {
        println!("{name}: {} bytes", bytes.len());
        std::fs::write(folder.join(name), bytes)?;
    }
    for (name, bytes) in refuse::book().files() {
        std::fs::write(folder.join("refuse").join(name), bytes)?;
    }
    Ok(())
}
