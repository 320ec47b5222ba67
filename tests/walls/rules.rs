//! The walls: what may be named where.

use crate::source::{Names, Sources};

/// Something that only some rooms of a crate may name.
struct Wall {
    /// The crate.
    folder: &'static str,
    /// Paths, or beginnings of paths, with their last names enough: `Utc::now` is also seen in
    /// `chrono::Utc::now`.
    forbidden: &'static [&'static str],
    /// Places from `src` that may not name it, by their beginning; all of them where none is given.
    within: &'static [&'static str],
    /// Places where it may stand all the same, by their beginning.
    except: &'static [&'static str],
    /// Why.
    because: &'static str,
}

const WALLS: [Wall; 14] = [
    Wall {
        folder: "protocol",
        forbidden: &[
            "Utc::now",
            "Local::now",
            "SystemTime",
            "Instant",
            "std::time",
        ],
        within: &[],
        except: &[],
        because: "callers pass time in: a check says the same whenever it runs",
    },
    Wall {
        folder: "protocol",
        forbidden: &["getrandom", "rand", "rand_core", "uuid"],
        within: &[],
        except: &[],
        because: "callers pass randomness in",
    },
    Wall {
        folder: "protocol",
        forbidden: &[
            "std::fs",
            "std::net",
            "std::env",
            "std::process",
            "tokio",
            "tracing",
        ],
        within: &[],
        except: &[],
        because: "everything here is a pure function of its arguments",
    },
    Wall {
        folder: "protocol",
        forbidden: &["node", "admin", "sled", "axum", "async_nats"],
        within: &[],
        except: &[],
        because: "protocol is the ground: it knows no program",
    },
    Wall {
        folder: "node",
        forbidden: &["async_nats", "nkeys"],
        within: &[],
        except: &["link/"],
        because: "NATS is transport: only the link names it",
    },
    Wall {
        folder: "node",
        forbidden: &[
            "axum",
            "utoipa",
            "utoipa_axum",
            "tower_http",
            "hyper",
            "hyper_util",
        ],
        within: &[],
        except: &["web/"],
        because: "HTTP is an edge: no rule of the domain depends on it",
    },
    Wall {
        folder: "node",
        forbidden: &["sled"],
        within: &[],
        except: &["view"],
        because: "sled holds a view that may be deleted, never the truth",
    },
    Wall {
        folder: "node",
        forbidden: &["Utc::now", "Local::now", "SystemTime::now"],
        within: &[],
        except: &["clock.rs"],
        because: "time comes through a Clock, so that tests choose it",
    },
    Wall {
        folder: "node",
        forbidden: &["getrandom"],
        within: &[],
        except: &["random.rs"],
        because: "randomness comes through Random, so that tests choose it",
    },
    Wall {
        folder: "node",
        forbidden: &["admin", "comfy_table", "miette::Report"],
        within: &[],
        except: &[],
        because: "the daemon knows no command of the command line",
    },
    Wall {
        folder: "admin",
        forbidden: &["sled", "axum", "async_nats", "utoipa"],
        within: &[],
        except: &["nats/"],
        because: "commands work on files or through the node's API",
    },
    Wall {
        folder: "node",
        forbidden: &[
            "crate::books",
            "crate::desk",
            "crate::review",
            "crate::journal",
        ],
        within: &["exchange/"],
        except: &[],
        because: "what a file says does not depend on what was recorded",
    },
    Wall {
        folder: "node",
        forbidden: &["encoding_rs", "calamine", "rust_xlsxwriter", "zip::"],
        within: &[],
        except: &["exchange/", "export/"],
        because: "people's files are read in one place",
    },
    Wall {
        folder: "node",
        forbidden: &["mimalloc"],
        within: &[],
        except: &["main.rs"],
        because: "a program chooses its allocator, a library does not",
    },
];

/// Each wall of a crate that its sources break.
pub fn broken(folder: &str, sources: &Sources) -> Vec<String> {
    let mut broken = Vec::new();
    for (place, paths) in sources.paths() {
        for wall in WALLS.iter().filter(|w| w.folder == folder) {
            let stands = wall.within.is_empty() || wall.within.iter().any(|w| place.starts_with(w));
            if !stands || wall.except.iter().any(|e| place.starts_with(e)) {
                continue;
            }
            for forbidden in wall.forbidden {
                if paths.iter().any(|p| names(p, forbidden)) {
                    let because = wall.because;
                    broken.push(format!("{folder}/src/{place} names {forbidden}: {because}"));
                }
            }
        }
    }
    broken
}

/// Whether a path names this. A single name is a crate, or a type such as `Instant`, wherever it
/// stands; a crate's name must begin the path and lead on.
fn names(path: &Names, forbidden: &str) -> bool {
    let wanted: Vec<&str> = forbidden.split("::").collect();
    let is_crate = wanted.len() == 1 && forbidden.starts_with(char::is_lowercase);
    if is_crate {
        return path.len() > 1 && path[0] == forbidden;
    }
    path.windows(wanted.len()).any(|w| w == wanted.as_slice())
}
