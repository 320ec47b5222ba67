//! `countersign key`: signing keys and tokens. Private parts go to files of mode 0600 and are never
//! printed.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use node::fault::FaultCode;
use node::web::tokens::{Role, Tokens};
use protocol::ids::{Tier, UnitId};
use protocol::note::{Alg, VerifierKey};
use protocol::period::Month;
use serde_json::json;

use super::arguments::ArgumentError;
use super::output::{CommandResult, Failure, Output, read, save_new, say, sayln};
use super::units::{Card, Cards};
use crate::keyring;

/// Make and show keys and tokens
#[derive(Debug, Subcommand)]
#[command(after_help = "Example:\n  countersign key new root.key --name root")]
pub enum Command {
    /// Make a signing key of a person, of a root, or of anything else that signs
    #[command(
        after_help = "Example, for the recorder 陈 of 平定县:\n  countersign key new keys/chen.key \
            --name 140321/chen\n\n\
        The file (mode 0600) is the only copy of the private key. The line that is printed is \
        public: give it to\n\
        `countersign operator enrol`."
    )]
    New {
        /// New file
        file: PathBuf,
        /// Signer name: `<unit>/<name>` for a person, any name for a root key
        #[arg(long)]
        name: String,
        /// Make a key that cosigns checkpoints
        #[arg(long)]
        witness: bool,
    },
    Unit(UnitArgs),
    /// Show the public half of a key file
    #[command(after_help = "Example:\n  countersign key show root.key > root.vkey")]
    Show {
        /// Key file
        file: PathBuf,
    },
    /// Make a bearer token for the API
    #[command(
        after_help = "Example:\n  countersign key token --name chen --roles recorder --append \
            tokens\n\n\
        The token is printed once and kept nowhere; the node's token file gets its digest only. \
        Restart the node afterwards.\n\
        Roles: recorder, reviewer, head, inspector, operator. The name must be that of the \
        recorder's key: what comes in with\n\
        this token is signed by the key <unit>/<name>."
    )]
    Token {
        /// Name within the unit
        #[arg(long)]
        name: String,
        /// Roles, separated by commas
        #[arg(long, value_delimiter = ',', required = true, value_parser = role)]
        roles: Vec<&'static str>,
        /// Add the line to this token file (made with mode 0600) instead of printing it
        #[arg(long, value_name = "FILE")]
        append: Option<PathBuf>,
    },
}

/// Make the three keys of a node: node.key, witness.key, vault.key
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  countersign key unit keys --unit 140321 --card 140321.toml\n\n\
    Keep a copy of vault.key in a safe, apart from the backups: without it no private record can \
    be opened again.\n\
    The card holds public keys only: send it to whoever signs the registry."
)]
pub struct UnitArgs {
    /// Directory, made if it is missing
    dir: PathBuf,
    /// Unit code
    #[arg(long)]
    unit: UnitId,
    /// New file for the unit's card (TOML); without it the card is printed
    #[arg(long, value_name = "FILE")]
    card: Option<PathBuf>,
    /// Name, for the card
    #[arg(long)]
    name: Option<String>,
    /// Tier, for the card: county, city, province
    #[arg(long)]
    tier: Option<Tier>,
    /// Whom it reports to, for the card
    #[arg(long, value_name = "UNIT")]
    parent: Option<UnitId>,
    /// Area code (GB/T 2260), for the card
    #[arg(long)]
    area: Option<String>,
    /// First month that it reports, for the card
    #[arg(long, value_name = "YYYY-MM")]
    since: Option<Month>,
    /// Public NKey, for the card; `countersign nats user` makes one
    #[arg(long, value_name = "U…")]
    nkey: Option<String>,
}

fn role(text: &str) -> Result<&'static str, ArgumentError> {
    let words: Vec<&'static str> = Role::ALL.iter().map(|r| r.as_str()).collect();
    let found = words.iter().find(|w| **w == text).copied();
    found.ok_or(ArgumentError::Word {
        what: "roles",
        words,
    })
}

pub fn run(command: Command, out: &Output) -> CommandResult {
    match command {
        Command::New {
            file,
            name,
            witness,
        } => new_key(&file, &name, witness, out)?,
        Command::Show { file } => show(out, &keyring::read_key(&file)?.vkey()),
        Command::Unit(args) => unit(args, out)?,
        Command::Token {
            name,
            roles,
            append,
        } => token(&name, &roles, append.as_deref(), out)?,
    }
    Ok(true)
}

fn new_key(file: &Path, name: &str, witness: bool, out: &Output) -> Result<(), Failure> {
    let alg = if witness {
        Alg::CosignatureV1
    } else {
        Alg::Ed25519
    };
    let key = keyring::create_key(file, name, alg)?;
    show(out, &key.vkey());
    out.note(format!(
        "The private key is in {}, and nowhere else.",
        file.display()
    ));
    Ok(())
}

fn unit(args: UnitArgs, out: &Output) -> Result<(), Failure> {
    nothing_replaced(&args)?;
    let (node, witness) = keyring::create_unit_keys(&args.dir, args.unit.as_str())?;
    let made = Card {
        id: args.unit,
        name: args.name,
        tier: args.tier,
        parent: args.parent,
        area: args.area,
        since: args.since,
        vkey: Some(node.vkey()),
        witness: Some(witness.vkey()),
        nkey: args.nkey,
    };
    let cards = Cards {
        unit: vec![made.clone()],
    };
    let text = toml::to_string(&cards).map_err(Failure::of)?;
    if let Some(file) = &args.card {
        save_new(file, text.as_bytes())?;
    }
    out.answer(json!({ "card": made, "file": args.card }), || {
        if args.card.is_none() {
            say(&text)
        }
    });
    let card = args
        .card
        .map(|f| format!("The unit's card is in {}. ", f.display()))
        .unwrap_or_default();
    out.note(format!(
        "{card}Private keys are in {}. Keep a copy of vault.key in a safe, apart from the backups.",
        args.dir.display()
    ));
    Ok(())
}

/// Refuses before anything is written if one of the files is there already.
fn nothing_replaced(args: &UnitArgs) -> Result<(), Failure> {
    let exists = |file: &Path, more: &str| {
        let message = format!("{} exists already{more}", file.display());
        Err(Failure::coded(FaultCode::KeyExists, message))
    };
    for name in ["node.key", "witness.key", "vault.key"] {
        let file = args.dir.join(name);
        if file.exists() {
            return exists(&file, "; keys are never replaced");
        }
    }
    match &args.card {
        Some(card) if card.exists() => exists(card, ""),
        _ => Ok(()),
    }
}

fn token(
    name: &str,
    roles: &[&'static str],
    append: Option<&Path>,
    out: &Output,
) -> Result<(), Failure> {
    let unusable = |c: char| c.is_whitespace() || c == '#' || c == '/';
    if name.is_empty() || name.contains(unusable) {
        return Err(Failure::usage(
            "a name has no spaces, no # and no /; the unit's code is not part of it",
        ));
    }
    let (token, line) = keyring::create_token(name, &roles.join(","))?;
    if let Some(file) = append {
        add_line(file, &line)?;
    }
    let line = line.trim_end();
    let answer = json!({ "token": token.as_str(), "line": line, "file": append });
    out.answer(answer, || {
        sayln!("{}", token.as_str());
        if append.is_none() {
            sayln!("{line}");
        }
    });
    let where_to = match append {
        Some(file) => format!("{} has its digest; restart the node.", file.display()),
        None => "The second line belongs into the node's token file.".to_string(),
    };
    out.note(format!(
        "The first line is the token: hand it over now, it is kept nowhere. {where_to}"
    ));
    Ok(())
}

fn show(out: &Output, vkey: &VerifierKey) {
    let alg = if vkey.alg() == Alg::CosignatureV1 {
        "cosignature/v1"
    } else {
        "ed25519"
    };
    out.answer(
        json!({ "name": vkey.name(), "alg": alg, "vkey": vkey.to_string() }),
        || sayln!("{vkey}"),
    );
}

fn add_line(file: &Path, line: &str) -> Result<(), Failure> {
    let mut text = String::new();
    if file.exists() {
        let bytes = read(file)?;
        let known = String::from_utf8(bytes).map_err(|_| {
            Failure::coded(
                FaultCode::TokensMalformed,
                format!("{} is not text", file.display()),
            )
        })?;
        Tokens::parse(&known).map_err(|n| {
            Failure::coded(
                FaultCode::TokensMalformed,
                format!("{}: line {n} is not a token's", file.display()),
            )
        })?;
        // A last line without its end must not swallow the new one.
        if !known.is_empty() && !known.ends_with('\n') {
            text.push('\n');
        }
    }
    text.push_str(line);
    let mut open = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(file)
        .map_err(Failure::file(file))?;
    open.write_all(text.as_bytes())
        .and_then(|()| open.sync_all())
        .map_err(Failure::file(file))
}
