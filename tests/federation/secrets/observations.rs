//! What anybody else could come to see: output, answers, files, traffic.

use std::fs::File;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use async_nats::ConnectOptions;
use countersign_demo::federation::Federation;
use countersign_demo::world::Member;
use federation_tests::{Process, programs};
use futures_util::StreamExt as _;

/// Everything that could have been seen, by name.
#[derive(Default)]
pub struct Observations(pub Vec<(String, Vec<u8>)>);

impl Observations {
    /// Runs a command; what it prints is seen. Gives whether it succeeded.
    pub fn command(&mut self, m: &Member, person: &str, args: &[&str]) -> bool {
        let output = Command::new(programs().join("countersign"))
            .args(args)
            .env("COUNTERSIGN_NODE", m.url())
            .env("COUNTERSIGN_TOKEN", m.token(person))
            .env("RUST_LOG", "trace")
            .env("RUST_BACKTRACE", "1")
            .output()
            .unwrap();
        self.0.push((
            format!("countersign {args:?}"),
            [output.stdout, b"\n".to_vec(), output.stderr].concat(),
        ));
        output.status.success()
    }
    #[track_caller]
    pub fn good(&mut self, m: &Member, person: &str, args: &[&str]) {
        let done = self.command(m, person, args);
        assert!(
            done,
            "{args:?}: {}",
            String::from_utf8_lossy(&self.0.last().unwrap().1)
        );
    }
    #[track_caller]
    pub fn refused(&mut self, m: &Member, person: &str, args: &[&str]) {
        assert!(!self.command(m, person, args), "{args:?}");
    }
    /// A request byte for byte; the answer is seen.
    pub fn ask(&mut self, m: &Member, request: &str) -> u16 {
        let mut stream = TcpStream::connect(("127.0.0.1", m.port)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let status = String::from_utf8_lossy(&answer)
            .split(' ')
            .nth(1)
            .and_then(|s| s.parse().ok())
            .unwrap_or(0);
        self.0.push((
            format!(
                "the answer to {}",
                request.lines().next().unwrap_or_default()
            ),
            answer,
        ));
        status
    }
    pub fn files(&mut self, path: &Path) {
        if path.is_dir() {
            for entry in std::fs::read_dir(path).unwrap() {
                self.files(&entry.unwrap().path());
            }
        } else {
            self.0
                .push((path.display().to_string(), std::fs::read(path).unwrap()));
        }
    }
    /// How much was seen of the places with this in their names, in bytes.
    pub fn size(&self, part: &str) -> usize {
        let named = self.0.iter().filter(|(name, _)| name.contains(part));
        named.map(|(_, bytes)| bytes.len()).sum()
    }
}

/// Writes down all that passes by nats-server, as its operator can.
pub async fn listen(
    url: String,
    seed: String,
    heard: Arc<Mutex<Vec<u8>>>,
    ready: std::sync::mpsc::Sender<()>,
) {
    let client = ConnectOptions::new().nkey(seed).connect(url).await.unwrap();
    // Not `>`: interest in the inbox of a node that was killed would make JetStream deliver to
    // nobody and wait for an answer.
    let (notes, answers) = (
        client.subscribe("cs.>").await.unwrap(),
        client.subscribe("$JS.ACK.>").await.unwrap(),
    );
    let mut everything = futures_util::stream::select(notes, answers);
    client.flush().await.unwrap();
    ready.send(()).unwrap();
    while let Some(message) = everything.next().await {
        let mut heard = heard.lock().unwrap();
        heard.extend_from_slice(
            format!(
                "\n{} {:?} {:?}\n",
                message.subject, message.reply, message.headers
            )
            .as_bytes(),
        );
        heard.extend_from_slice(&message.payload);
    }
}

/// Starts a unit's node again, with the most talkative log that there is.
pub fn talkative(f: &mut Federation, id: &str) -> (Process, PathBuf) {
    f.kill_node(id);
    let m = f.world.member(id).unwrap();
    let log = m.dir.join("trace.log");
    let mut command = Command::new(programs().join("countersign-node"));
    command
        .arg(m.config())
        .env("COUNTERSIGN_LOG", "trace")
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "1");
    let file = File::create(&log).unwrap();
    let child = command
        .stdin(Stdio::null())
        .stdout(file.try_clone().unwrap())
        .stderr(file)
        .spawn()
        .unwrap();
    f.wait_up(id).unwrap();
    (Process(child), log)
}
