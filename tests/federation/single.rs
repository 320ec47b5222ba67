//! One county's node as a process, without a broker: what its disk and its clock do to it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use admin::api::{ApiError, Client};
use admin::keyring;
use countersign_demo::federation::{PATIENCE, tail, wait};
use countersign_demo::ledger::Ledger;
use countersign_demo::world::{Deploy, Member, PEOPLE, World, free_port};
use countersign_demo::year;
use federation_tests::{directory, programs, repository};
use node::desk::close::CloseRequest;
use node::desk::record::Imported;
use protocol::note::Note;
use protocol::period::Month;
use protocol::rollup::Rollup;

/// The county.
pub const UNIT: &str = "140302";

/// The month that is recorded.
pub fn january() -> Month {
    Month::new(2023, 1).unwrap()
}

/// The seed of this run: `COUNTERSIGN_SEED`, or 7.
pub fn seed() -> u64 {
    std::env::var("COUNTERSIGN_SEED")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(7)
}

/// How many rounds were asked for; none for the short default.
pub fn rounds() -> Option<usize> {
    std::env::var("COUNTERSIGN_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
}

/// A small generator of numbers.
pub struct Random(pub u64);

impl Random {
    /// Below `n`.
    pub fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }
}

/// Copies a directory.
pub fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Keys, published documents and a ledger: what all nodes of one test have in common.
pub struct Place {
    pub world: World,
    pub member: Member,
    pub ledger: Ledger,
}

impl Place {
    /// A new place on the third of February 2023, noon in China.
    pub fn new(name: &str, seed: u64) -> Place {
        let world = World::build(
            &directory(name),
            &Deploy(repository().join("deploy")),
            &["140300"],
            january(),
        )
        .unwrap();
        let ledger = world.ledger(seed, 2023);
        let member = world.member(UNIT).unwrap().clone();
        world.set_clock("2023-02-03T04:00:00Z").unwrap();
        Place {
            world,
            member,
            ledger,
        }
    }

    /// The files of January: type and CSV, in the order in which they can be imported.
    pub fn files(&self) -> Vec<(&'static str, String)> {
        let month = self
            .ledger
            .unit(&self.member.id)
            .unwrap()
            .month(january())
            .unwrap();
        month
            .sheets
            .iter()
            .map(|sheet| (sheet.event, sheet.to_csv()))
            .collect()
    }

    /// A node with a home of its own, begun with a copy of `data` if there is one. It is not
    /// started.
    pub fn node(&self, name: &str, data: Option<&Path>) -> SingleNode {
        let home = self.world.dir.join("lone").join(name);
        fs::create_dir_all(&home).unwrap();
        if let Some(data) = data {
            copy_dir(data, &home.join("data"));
        }
        let mut member = self.member.clone();
        member.port = free_port().unwrap();
        let text = fs::read_to_string(self.member.config()).unwrap();
        let text = text.split("\n[nats]").next().unwrap().replace(
            &format!(":{}", self.member.port),
            &format!(":{}", member.port),
        );
        let text = text
            .replace("\"data\"", &format!("{:?}", home.join("data")))
            .replace("\"keys\"", &format!("{:?}", self.member.dir.join("keys")))
            .replace(
                "\"tokens\"",
                &format!("{:?}", self.member.dir.join("tokens")),
            )
            .replace(
                "\"../../published\"",
                &format!("{:?}", self.world.dir.join("published")),
            )
            .replace("\"../../clock\"", &format!("{:?}", home.join("clock")));
        fs::write(home.join("node.toml"), text).unwrap();
        let lone = SingleNode {
            home,
            member,
            child: None,
        };
        lone.set_clock("2023-02-03T04:00:00Z");
        lone
    }
}

/// A node that may run.
pub struct SingleNode {
    pub home: PathBuf,
    pub member: Member,
    child: Option<Child>,
}

impl Drop for SingleNode {
    fn drop(&mut self) {
        self.kill();
    }
}

impl SingleNode {
    /// Its data directory.
    pub fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    /// The time that it reads.
    pub fn set_clock(&self, time: &str) {
        fs::write(self.home.join("clock.new"), time).unwrap();
        fs::rename(self.home.join("clock.new"), self.home.join("clock")).unwrap();
    }

    /// What it wrote to its log.
    pub fn log(&self) -> String {
        fs::read_to_string(self.home.join("node.log")).unwrap_or_default()
    }

    /// Starts it, behind these words (`strace …`), and does not wait for anything.
    pub fn spawn(&mut self, before: &[String]) {
        assert!(self.child.is_none(), "it runs already");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.home.join("node.log"))
            .unwrap();
        let node = programs().join("countersign-node");
        let mut words = before
            .iter()
            .map(PathBuf::from)
            .chain([node, self.home.join("node.toml")]);
        let child = Command::new(words.next().unwrap())
            .args(words)
            .env("COUNTERSIGN_LOG", "info,sled=error")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.child = Some(child);
    }

    /// Waits until it answers or ends; tells whether it is up.
    pub fn settle(&mut self) -> bool {
        let health = Client::new(&self.member.url(), "");
        let child = self.child.as_mut().unwrap();
        let mut up = false;
        let waited = wait("the node to answer or to end", || {
            up = health.health().is_ok();
            Ok(up || child.try_wait().map_err(|e| e.to_string())?.is_some())
        });
        waited.unwrap_or_else(|e| panic!("{e}\n{}", tail(&self.home.join("node.log"))));
        up
    }

    /// Starts it and waits until it is up.
    #[track_caller]
    pub fn start(&mut self) {
        self.spawn(&[]);
        assert!(
            self.settle(),
            "it does not start:\n{}",
            tail(&self.home.join("node.log"))
        );
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// Whether the process is still there.
    pub fn runs(&mut self) -> bool {
        self.child
            .as_mut()
            .is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// Ends it by SIGKILL.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// Waits until it has ended by itself.
    pub fn wait_end(&mut self) {
        let start = std::time::Instant::now();
        while self.runs() {
            assert!(start.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        self.child = None;
    }

    /// A person's client.
    pub fn client(&self, person: &str) -> Client {
        Client::new(&self.member.url(), self.member.token(person))
    }

    /// What health says of a thing, whatever its status code.
    pub fn health(&self, what: &str) -> String {
        match Client::new(&self.member.url(), "").health() {
            Ok(health) => health[what].as_str().unwrap_or_default().to_string(),
            Err(ApiError::Answer {
                status: 503,
                message,
                ..
            }) => {
                let health: serde_json::Value = serde_json::from_str(&message).unwrap();
                health[what].as_str().unwrap_or_default().to_string()
            }
            Err(e) => panic!("{e}"),
        }
    }

    /// A gauge or counter of the metrics.
    pub fn metric(&self, name: &str) -> Option<f64> {
        let text = String::from_utf8(self.client("luru").get("/metrics").unwrap()).unwrap();
        text.lines().find_map(|line| {
            line.strip_prefix(&format!("countersign_{name} "))?
                .parse()
                .ok()
        })
    }

    /// Enrols its people.
    pub fn enrol(&self) {
        let operator = self.client("operator");
        for (name, roles, _) in PEOPLE {
            operator
                .enrol(
                    keyring::read_key(&self.member.key(name))
                        .unwrap()
                        .vkey()
                        .as_str(),
                    roles,
                )
                .unwrap();
        }
    }

    /// Imports a file.
    pub fn import(&self, event: &str, csv: &str) -> Result<Imported, ApiError> {
        self.client("luru")
            .import(Some(event), "csv", false, false, csv.as_bytes())
    }

    /// Closes January, explaining what wants an explanation.
    pub fn close(&self) -> Result<(), String> {
        year::close(&self.member, january(), &CloseRequest::default()).map_err(|e| e.to_string())
    }

    /// The three sign January.
    pub fn sign(&self) -> Result<(), ApiError> {
        let client = self.client("tianbiao");
        let mut note = Note::parse(&client.rollup(january())?).unwrap();
        for name in ["tianbiao", "tongji", "fuzeren"] {
            note = note
                .add_signature(&keyring::read_key(&self.member.key(name)).unwrap())
                .unwrap();
        }
        let unsigned = client.sign(january(), note.as_bytes())?;
        assert!(unsigned.is_empty(), "{unsigned:?}");
        Ok(())
    }

    /// The closed month.
    pub fn rollup(&self) -> Rollup {
        Rollup::parse(
            Note::parse(&self.client("tianbiao").rollup(january()).unwrap())
                .unwrap()
                .text(),
        )
        .unwrap()
    }

    /// The events of January as the recorder sees them, each by what it says and not by when it was
    /// recorded.
    pub fn events(&self) -> Vec<String> {
        let list = self.client("luru").events(january(), true).unwrap();
        let mut events: Vec<String> = list
            .iter()
            .map(|e| format!("{} {}", e.event, serde_json::to_string(&e.fields).unwrap()))
            .collect();
        events.sort();
        events
    }

    /// `countersign fsck` of the stopped node; panics unless it is clean.
    #[track_caller]
    pub fn fsck(&self, context: &str) {
        let output = Command::new(programs().join("countersign"))
            .arg("fsck")
            .arg(self.data())
            .output()
            .unwrap();
        let text = format!(
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(output.status.success(), "{context}: fsck: {text}");
    }
}

/// The codes of a refusal, and nothing where no answer came.
pub fn codes(error: &ApiError) -> Vec<String> {
    match error {
        ApiError::Refused(faults) => faults.0.iter().map(|f| f.code.to_string()).collect(),
        _ => Vec::new(),
    }
}
