//! What a source file imports. Read from its tokens, so that paths inside macros count, and
//! comments, texts and tests do not.
//!
//! A module is a file. A path such as `crate::note::Note` leads to the module that defines what it
//! names: re-exports (`pub use`) are followed, and are no imports of the module that holds them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Item, UseTree, Visibility};

/// Names of a path: `crate::note::Note` are three.
pub type Names = Vec<String>;

/// A crate's files by module: the crate itself is the empty path.
pub struct Sources(BTreeMap<Names, File>);

/// What one file says.
#[derive(Default)]
struct File {
    /// Where it lies, from the crate's `src`.
    place: String,
    /// Paths that it uses itself.
    used: Vec<Names>,
    /// Names that it passes on, and what they stand for.
    passed: BTreeMap<String, Names>,
    /// Modules that it passes on whole.
    globs: Vec<Names>,
    /// Modules below it that are there for tests only.
    tests: Vec<String>,
}

impl Sources {
    /// All files below a folder.
    pub fn read(folder: &Path) -> Sources {
        let mut files = Vec::new();
        let mut folders = vec![folder.to_path_buf()];
        while let Some(next) = folders.pop() {
            for entry in std::fs::read_dir(&next).expect("a folder of sources") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|e| e == "rs") {
                    let place = path.strip_prefix(folder).expect("below the folder");
                    let text = std::fs::read_to_string(&path).expect("a source file");
                    files.push((place.to_string_lossy().into_owned(), text));
                }
            }
        }
        let files: Vec<(&str, &str)> = files.iter().map(|(p, t)| (&**p, &**t)).collect();
        Sources::of(&files)
    }

    /// Files given by place and text.
    pub fn of(files: &[(&str, &str)]) -> Sources {
        let file = |(place, text): &(&str, &str)| (module_of(place), File::read(place, text));
        let mut files: BTreeMap<Names, File> = files.iter().map(file).collect();
        for tests in test_modules(&files) {
            files.retain(|module, _| !module.starts_with(&tests));
        }
        Sources(files)
    }

    /// Number of files.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Each file's place, and the paths that it names, those that it passes on included.
    pub fn paths(&self) -> impl Iterator<Item = (&str, Vec<&Names>)> {
        self.0.values().map(|file| {
            let all = file.used.iter().chain(file.passed.values());
            (&*file.place, all.chain(&file.globs).collect())
        })
    }

    /// For each module the modules of its own crate that it imports.
    pub fn imports(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut imports = BTreeMap::new();
        for (module, file) in &self.0 {
            let found = file.used.iter().filter_map(|p| self.target(module, p, 0));
            let found = found.filter(|t| t != module).map(|t| t.join("::"));
            imports.insert(module.join("::"), found.collect());
        }
        imports
    }

    /// The module that defines what a path names; none where it leads out of the crate.
    fn target(&self, from: &Names, path: &Names, depth: usize) -> Option<Names> {
        let (mut module, rest) = self.begin(from, path)?;
        for (n, name) in rest.iter().enumerate() {
            let mut below = module.clone();
            below.push(name.clone());
            if self.0.contains_key(&below) {
                module = below;
                continue;
            }
            // Ten re-exports of re-exports are enough; more would be a circle of them.
            let passed = self.0[&module].passed.get(name).filter(|_| depth < 10);
            return match passed {
                None => Some(module),
                Some(passed) => {
                    let further: Names = passed.iter().chain(&rest[n + 1..]).cloned().collect();
                    self.target(&module, &further, depth + 1)
                }
            };
        }
        Some(module)
    }

    /// Where a path begins, and what remains of it.
    fn begin<'a>(&self, from: &Names, path: &'a [String]) -> Option<(Names, &'a [String])> {
        let (first, rest) = path.split_first()?;
        let mut module = from.clone();
        match first.as_str() {
            "crate" => Some((Names::new(), rest)),
            "self" => Some((module, rest)),
            "super" => {
                module.pop();
                let more = rest.iter().take_while(|n| *n == "super").count();
                module.truncate(module.len() - more);
                Some((module, &rest[more..]))
            }
            name => {
                module.push(name.to_string());
                let here = self.0.contains_key(&module) || self.0[from].passed.contains_key(name);
                here.then(|| (from.clone(), path))
            }
        }
    }
}

/// The module of a file: `web/mod.rs` is `web`, `note.rs` is `note`, `lib.rs` the crate.
fn module_of(place: &str) -> Names {
    let place = place.trim_end_matches(".rs");
    let mut names: Names = place.split('/').map(str::to_string).collect();
    if matches!(names.last().map(String::as_str), Some("mod" | "lib")) {
        names.pop();
    }
    names
}

/// The modules that are there for tests only.
fn test_modules(files: &BTreeMap<Names, File>) -> Vec<Names> {
    let below = |(module, file): (&Names, &File)| {
        let with = |name: &String| module.iter().chain([name]).cloned().collect();
        file.tests.iter().map(with).collect::<Vec<Names>>()
    };
    files.iter().flat_map(below).collect()
}

impl File {
    fn read(place: &str, text: &str) -> File {
        let parsed = syn::parse_file(text).unwrap_or_else(|e| panic!("{place}: {e}"));
        let mut file = File {
            place: place.to_string(),
            ..File::default()
        };
        for item in &parsed.items {
            file.item(item);
        }
        file
    }

    fn item(&mut self, item: &Item) {
        if is_test(item) {
            if let Item::Mod(module) = item {
                self.tests.push(module.ident.to_string());
            }
            return;
        }
        match item {
            Item::Use(used) => {
                let passed_on = !matches!(used.vis, Visibility::Inherited);
                self.tree(&Names::new(), &used.tree, passed_on);
            }
            Item::Mod(inner) => {
                for item in inner.content.iter().flat_map(|(_, items)| items) {
                    self.item(item);
                }
            }
            other => self.tokens(other.to_token_stream()),
        }
    }

    fn tree(&mut self, before: &Names, tree: &UseTree, passed_on: bool) {
        let with = |name: &syn::Ident| {
            let mut names = before.clone();
            // `use a::{self}` names `a`.
            if name != "self" || names.is_empty() {
                names.push(name.to_string());
            }
            names
        };
        match tree {
            UseTree::Path(path) => self.tree(&with(&path.ident), &path.tree, passed_on),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.tree(before, tree, passed_on);
                }
            }
            UseTree::Glob(_) if passed_on => self.globs.push(before.clone()),
            UseTree::Glob(_) => self.used.push(before.clone()),
            UseTree::Name(name) => self.name(with(&name.ident), &name.ident, passed_on),
            UseTree::Rename(name) => self.name(with(&name.ident), &name.rename, passed_on),
        }
    }

    fn name(&mut self, path: Names, name: &syn::Ident, passed_on: bool) {
        if passed_on {
            self.passed.insert(name.to_string(), path);
        } else {
            self.used.push(path);
        }
    }

    /// Every path in a stretch of code: names with `::` between them.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path = Names::new();
        let mut colons = 0;
        let mut dot = false;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) if colons == 2 && !path.is_empty() => {
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Ident(ident) => {
                    self.close(&mut path);
                    // What stands behind a dot is a field or a method.
                    if !dot && colons < 2 {
                        path.push(ident.to_string());
                    }
                    colons = 0;
                    dot = false;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => {
                    colons += 1;
                    dot = false;
                }
                other => {
                    self.close(&mut path);
                    colons = 0;
                    dot = matches!(&other, TokenTree::Punct(p) if p.as_char() == '.');
                    if let TokenTree::Group(group) = other {
                        self.tokens(group.stream());
                    }
                }
            }
        }
        self.close(&mut path);
    }

    fn close(&mut self, path: &mut Names) {
        let path = std::mem::take(path);
        // `pub(super)` says who may use an item, and uses nothing.
        let alone = path.len() == 1 && matches!(&*path[0], "crate" | "self" | "super");
        if !path.is_empty() && !alone {
            self.used.push(path);
        }
    }
}

/// Whether an item is there for tests only.
fn is_test(item: &Item) -> bool {
    let attributes = match item {
        Item::Mod(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        _ => return false,
    };
    attributes.iter().any(|a| {
        let text = a.to_token_stream().to_string();
        text.contains("cfg") && text.contains("test") && !text.contains("not")
    })
}
