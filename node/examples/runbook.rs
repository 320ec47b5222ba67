//! Writes the table of codes into section 10 of both runbooks.

#[path = "../tests/codes/runbook.rs"]
mod runbook;

use runbook::{Language, with_table};

fn main() -> std::io::Result<()> {
    for language in Language::ALL {
        let file = language.file();
        let text = std::fs::read_to_string(&file)?;
        let text = with_table(&text, language)
            .ok_or_else(|| std::io::Error::other("the marks of the table are gone"))?;
        std::fs::write(&file, text)?;
        println!("{}", file.display());
    }
    Ok(())
}
