//! The thread that owns the books: work that dies leaves nothing behind, and the rest goes on.
#![allow(missing_docs, clippy::unwrap_used)]

use std::path::Path;

use kit::on_disk::*;
use node::books::BooksError;
use node::config::Accept;
use node::fault::internal;
use node::journal::JournalError;

/// A panic in the middle of work: what it had staged is not on disk, who asked is told so, and what
/// came before and comes after is.
#[tokio::test]
async fn work_that_dies_leaves_nothing_behind() {
    let mut w = World::empty();
    let service = w.service(A, Accept::Person);
    let keep = |name: &'static str| {
        let service = service.clone();
        async move {
            service
                .with(move |books, _| books.supplied(name).map_err(internal))
                .await
        }
    };
    keep("before").await.unwrap();
    // One that stages an entry and dies, with others around it in the queue.
    let dying = service.with::<(), _>(|books, _| {
        books.supplied("of the dead").unwrap();
        panic!("work dies here, on purpose")
    });
    let (died, after) = tokio::join!(dying, keep("after"));
    assert_eq!(died.unwrap_err().0[0].code, "node.internal");
    after.unwrap();
    let entries = service.with(|books, _| Ok((books.store().map(str::to_string), books.end())));
    let (store, entries) = entries.await.unwrap();
    assert_eq!(store.as_deref(), Some("after"));
    drop(service);

    // On the disk as well, and not only in memory.
    let home = w.dir.0.join(A);
    // The last run may still be letting go of its lock.
    let books = loop {
        match w.desk(A).try_open() {
            Err(BooksError::Journal(JournalError::Locked { .. })) => std::thread::yield_now(),
            other => break other.unwrap(),
        }
    };
    assert_eq!(books.end(), entries);
    for (name, there) in [("before", true), ("of the dead", false), ("after", true)] {
        assert_eq!(on_disk(&home, name), there, "{name}");
    }
}

/// Whether a file of the journal below this directory holds these words.
fn on_disk(dir: &Path, words: &str) -> bool {
    std::fs::read_dir(dir).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return on_disk(&path, words);
        }
        let is_journal = path.extension().is_some_and(|e| e == "seg");
        let bytes = std::fs::read(&path).unwrap_or_default();
        is_journal && bytes.windows(words.len()).any(|w| w == words.as_bytes())
    })
}

/// Whoever else is on the machine reads nothing of what the node keeps.
#[test]
fn what_the_node_writes_is_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt;
    fn look(dir: &Path, seen: &mut usize) {
        for entry in std::fs::read_dir(dir).unwrap() {
            let entry = entry.unwrap();
            let (path, meta) = (entry.path(), entry.metadata().unwrap());
            assert_eq!(meta.permissions().mode() & 0o077, 0, "{}", path.display());
            *seen += 1;
            // The indexes' own files stand behind a directory that nobody else enters.
            if meta.is_dir() && entry.file_name() != "view" {
                look(&path, seen);
            }
        }
    }
    let mut w = World::empty();
    w.desk(A).finish(kit::JAN, after(kit::JAN));
    let data = w.desk(A).data();
    let mut seen = 0;
    look(&data, &mut seen);
    assert!(seen >= 5, "{seen}");
}
