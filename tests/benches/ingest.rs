//! Ingest: what the whole desk path costs beside the cryptography that it cannot do without, and
//! beside PostgreSQL.
//!
//! `desk` reads CSV files of at most 1,000 rows, checks, counts, commits, signs, seals, writes and
//! fsyncs them: what a clerk waits for. `floor` does for each event one Ed25519 signature, one
//! commitment and the hashes, and nothing else. `postgresql` inserts the same rows, a transaction
//! for each file, into a table whose trigger writes a hash-chained audit row, with
//! `synchronous_commit=on` on the same disk: the nearest thing that one would do instead.

mod common;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::{
    COUNTY, Scratch, files, import, median, micros, open, processor, time, timed, trying, world,
};
use curve25519_dalek::Scalar;
use curve25519_dalek::ristretto::{RistrettoBasepointTable, RistrettoPoint};
use ed25519_dalek::{Signer as _, SigningKey};
use node::books::Books;
use protocol::commitment::hash_to_group;
use sha2::{Digest as _, Sha256};

/// Rows of one file.
const BATCH: usize = 1000;

fn main() {
    let (persons, rounds) = if trying() { (20, 1) } else { (5000, 3) };
    let scratch = Scratch::new("ingest");
    let (mut desk, mut work, mut floor, mut postgres) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut events = 0;
    let server = Postgres::start(&scratch.0);
    for round in 0..rounds {
        let dir = scratch.0.join(round.to_string());
        let mut books = open(&world(&dir, &[common::CITY]), COUNTY);
        let input = files(0, persons, BATCH);
        // The first file makes the month's secret and warms the code; it is not counted.
        let warm = files(900_000, if trying() { 2 } else { 500 }, BATCH);
        for (event, text) in &warm {
            import(&mut books, event, text, time("2026-01-25T02:00:00Z"));
        }
        let before = books.log().map_or(0, protocol::verify::log::UnitLog::len);
        let began = processor();
        let (count, took) = timed(|| {
            input
                .iter()
                .map(|(event, text)| import(&mut books, event, text, time("2026-01-25T02:00:00Z")))
                .sum::<usize>()
        });
        events = count;
        desk.push(took);
        work.push(processor() - began);
        floor.push(floor_of(&books, before, count));
        if let Some(server) = &server {
            postgres.push(server.insert(&input, round));
        }
    }
    let (desk, work, floor) = (median(desk), median(work), median(floor));
    println!("ingest of {events} events in files of {BATCH}, median of {rounds}:");
    let line = |name: &str, took: Duration| {
        println!(
            "  {name:<12} {:>8.1} µs/event {:>9.0} events/s",
            micros(took, events),
            events as f64 / took.as_secs_f64()
        );
    };
    line("floor", floor);
    line("desk", desk);
    println!(
        "  of which the desk computes {:.1} µs/event, all its threads together",
        micros(work, events)
    );
    println!(
        "  desk reaches {:.2} of the floor's events/s",
        floor.as_secs_f64() / desk.as_secs_f64()
    );
    if postgres.is_empty() {
        println!(
            "  postgresql   not measured: apt-get install postgresql, run as root or postgres"
        );
    } else {
        let postgres = median(postgres);
        line("postgresql", postgres);
        println!(
            "  desk reaches {:.2} of postgresql's events/s",
            postgres.as_secs_f64() / desk.as_secs_f64()
        );
    }
}

/// What the floor needs of one event: the text to sign, the record's leaves, the row's bases and
/// the blinding.
type Work = (Vec<u8>, Vec<Vec<u8>>, Vec<RistrettoPoint>, Scalar);

/// One signature, one commitment and the hashes of each of the statements just recorded; one core,
/// no I/O.
fn floor_of(books: &Books, from: u64, count: usize) -> Duration {
    let key = SigningKey::from_bytes(&[7; 32]);
    let blind = RistrettoBasepointTable::create(&hash_to_group(b"blind", "blind"));
    let work: Vec<Work> = (from..from + count as u64)
        .map(|index| {
            let (statement, payload) = books.statement(index).expect("a statement");
            let text = statement.to_text().expect("a text").into_bytes();
            let payload = payload.expect("a payload");
            let leaves = payload.record.as_ref().map_or_else(Vec::new, |r| {
                r.fields()
                    .iter()
                    .map(|(k, v)| format!("{k}{v:?}................").into_bytes())
                    .collect()
            });
            let bases = (0..payload.moves.len())
                .map(|n| hash_to_group(&[n as u8], "column"))
                .collect();
            (
                text,
                leaves,
                bases,
                Scalar::from_bytes_mod_order_wide(&[index as u8; 64]),
            )
        })
        .collect();
    let (kept, took) = timed(|| {
        let mut kept = 0_u64;
        for (text, leaves, bases, blinding) in &work {
            let signature = key.sign(text);
            let mut point = &blind * blinding;
            for base in bases {
                point += base;
            }
            let commitment = point.compress();
            let record = leaves.iter().fold([0; 32], |above, leaf| {
                let hash: [u8; 32] = Sha256::digest(leaf).into();
                Sha256::digest([above, hash].concat()).into()
            });
            let leaf = Sha256::digest(text);
            kept += u64::from(signature.to_bytes()[0])
                + u64::from(commitment.as_bytes()[0])
                + u64::from(record[0])
                + u64::from(leaf[0]);
        }
        kept
    });
    assert!(kept > 0, "the work was done");
    took
}

/// A PostgreSQL server of this run's own.
struct Postgres {
    bin: PathBuf,
    dir: PathBuf,
    server: Child,
}

impl Postgres {
    /// Nothing where PostgreSQL is not installed.
    fn start(dir: &Path) -> Option<Postgres> {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        let bin = versions
            .filter_map(|e| Some(e.ok()?.path().join("bin")))
            .find(|p| p.join("postgres").exists())?;
        let dir = dir.join("postgresql");
        std::fs::create_dir_all(&dir).expect("a directory");
        let owned = Command::new("chown")
            .args(["-R", "postgres"])
            .arg(&dir)
            .status()
            .expect("chown");
        assert!(owned.success(), "chown to postgres");
        let as_postgres = |program: &str| {
            let mut c = Command::new("setpriv");
            c.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
                .arg(bin.join(program))
                .current_dir(&dir);
            c
        };
        let made = as_postgres("initdb")
            .arg("-D")
            .arg(dir.join("data"))
            .args(["-A", "trust", "-E", "UTF8", "--locale=C"])
            .output();
        assert!(made.is_ok_and(|o| o.status.success()), "initdb");
        let server = as_postgres("postgres")
            .arg("-D")
            .arg(dir.join("data"))
            .args([
                "-c",
                "listen_addresses=",
                "-c",
                "synchronous_commit=on",
                "-c",
                "fsync=on",
                "-k",
            ])
            .arg(&dir)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("postgres starts");
        let postgres = Postgres { bin, dir, server };
        let ready = || {
            Command::new(postgres.bin.join("pg_isready"))
                .arg("-h")
                .arg(&postgres.dir)
                .arg("-q")
                .status()
                .expect("pg_isready")
                .success()
        };
        while !ready() {
            std::thread::sleep(Duration::from_millis(50));
        }
        Some(postgres)
    }

    fn run(&self, script: &Path) {
        let out = Command::new(self.bin.join("psql"))
            .args([
                "-U",
                "postgres",
                "-d",
                "postgres",
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                "-f",
            ])
            .arg(script)
            .arg("-h")
            .arg(&self.dir)
            .output()
            .expect("psql");
        assert!(
            out.status.success(),
            "{}",
            String::from_utf8_lossy(&out.stderr)
        );
    }

    /// Inserts the files' rows, one transaction a file, one statement a row as an application's
    /// driver sends them.
    fn insert(&self, input: &[(&str, String)], round: usize) -> Duration {
        let schema = self.dir.join("schema.sql");
        std::fs::write(
            &schema,
            format!(
                "CREATE SCHEMA r{round}; SET search_path = r{round};
                 CREATE TABLE event (id bigserial PRIMARY KEY, type text NOT NULL, occurred_on \
                 date NOT NULL, subject text NOT NULL, fields jsonb NOT NULL);
                 CREATE INDEX ON event (subject);
                 CREATE TABLE audit (id bigserial PRIMARY KEY, event bigint NOT NULL, at \
                 timestamptz NOT NULL, hash bytea NOT NULL);
                 CREATE FUNCTION chain() RETURNS trigger LANGUAGE plpgsql AS $$
                 DECLARE before bytea;
                 BEGIN
                   SELECT hash INTO before FROM r{round}.audit ORDER BY id DESC LIMIT 1;
                   INSERT INTO r{round}.audit (event, at, hash)
                     VALUES (NEW.id, now(), sha256(coalesce(before, ''::bytea) || \
                     convert_to(NEW::text, 'UTF8')));
                   RETURN NEW;
                 END $$;
                 CREATE TRIGGER audited AFTER INSERT ON event FOR EACH ROW EXECUTE FUNCTION \
                 chain();\n"
            ),
        )
        .expect("a script");
        self.run(&schema);
        let script = self.dir.join("insert.sql");
        let mut file = std::io::BufWriter::new(std::fs::File::create(&script).expect("a script"));
        writeln!(
            file,
            "SET search_path = r{round}; PREPARE i AS INSERT INTO event (type, occurred_on, \
                subject, fields) VALUES ($1, $2, $3, $4);"
        )
        .expect("written");
        for (event, text) in input {
            let mut lines = text.lines();
            let heading: Vec<&str> = lines.next().expect("a heading").split(',').collect();
            writeln!(file, "BEGIN;").expect("written");
            for line in lines {
                let cells: Vec<&str> = line.split(',').collect();
                let fields: Vec<String> = heading
                    .iter()
                    .zip(&cells)
                    .skip(1)
                    .map(|(k, v)| format!("\"{k}\":\"{v}\""))
                    .collect();
                writeln!(
                    file,
                    "EXECUTE i ('{event}', '{}', '{}', '{{{}}}');",
                    cells[0],
                    cells[1],
                    fields.join(",")
                )
                .expect("written");
            }
            writeln!(file, "COMMIT;").expect("written");
        }
        file.flush().expect("written");
        timed(|| self.run(&script)).1
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}
