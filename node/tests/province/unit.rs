//! One unit: its disks, its process, and what its people have still to do.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::PathBuf;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use chrono::{DateTime, Utc};
use node::books::Books;
use node::books::keys::Keys;
use node::clock::Clock;
use node::config::{Accept, Config};
use node::courier;
use node::fault::Faults;
use node::journal::{Guard, Journal};
use node::link::UnitPath;
use node::service::{Service, Worker};
use node::vault::VaultKey;
use protocol::digest::Digest;
use protocol::ids::{Tier, UnitId};
use protocol::note::{Alg, SigningKey, VerifierKey};

use crate::chance::Seeded;
use crate::fuse::{Died, Fuse, FusedDisk};
use crate::net::{Gate, Post, SimClock, SimLink};
use crate::script::Script;
use kit::disk::FailingDisk;
use kit::on_disk::{PEOPLE, key};

/// Small, so that journals go on in new segments within a round.
const SEGMENT: u64 = 64 << 10;

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Run {
    // In the order in which they are dropped: first what could still ask.
    courier: Pin<Box<dyn Future<Output = ()>>>,
    service: Arc<Service>,
    worker: Worker,
    flag: Arc<Flag>,
}

pub struct Unit {
    pub id: UnitId,
    pub tier: Tier,
    pub parent: Option<usize>,
    pub path: UnitPath,
    pub has_children: bool,
    pub accept: Accept,
    pub root: VerifierKey,
    pub journal: FailingDisk,
    pub guard: FailingDisk,
    pub fuse: Arc<Fuse>,
    pub gate: Arc<Gate>,
    pub random: Arc<Seeded>,
    pub home: PathBuf,
    pub clock: SimClock,
    pub post: Arc<Post>,
    pub documents: Arc<Vec<Vec<u8>>>,
    pub script: Script,
    pub cut_until: Option<DateTime<Utc>>,
    pub starts: u32,
    run: Option<Run>,
}

/// Everything but death goes on unwinding.
fn unless_dead<T>(result: Result<T, Box<dyn Any + Send>>) -> Result<T, Died> {
    result.map_err(|cause| match cause.downcast::<Died>() {
        Ok(died) => *died,
        Err(other) => resume_unwind(other),
    })
}

/// Where a unit stands among the others.
pub struct Place {
    /// Which of the units before it is its parent.
    pub parent: Option<usize>,
    pub path: UnitPath,
    pub has_children: bool,
}

/// What all units of a round share.
pub struct Shared {
    pub root: VerifierKey,
    pub clock: SimClock,
    pub post: Arc<Post>,
    pub documents: Arc<Vec<Vec<u8>>>,
}

impl Unit {
    pub fn new(
        known: &protocol::registry::Unit,
        place: Place,
        random: Seeded,
        home: PathBuf,
        shared: &Shared,
    ) -> Unit {
        let Place {
            parent,
            path,
            has_children,
        } = place;
        std::fs::create_dir_all(&home).unwrap();
        drop(
            VaultKey::create(
                &home.join("vault.key"),
                *Digest::of(format!("vault {}", known.id).as_bytes()).as_bytes(),
            )
            .unwrap(),
        );
        Unit {
            id: known.id.clone(),
            tier: known.tier,
            parent,
            path,
            has_children,
            accept: Accept::Auto,
            root: shared.root.clone(),
            journal: FailingDisk::new(),
            guard: FailingDisk::new(),
            fuse: Arc::default(),
            gate: Arc::default(),
            random: Arc::new(random),
            home,
            clock: shared.clock.clone(),
            post: shared.post.clone(),
            documents: shared.documents.clone(),
            script: Script::default(),
            cut_until: None,
            starts: 0,
            run: None,
        }
    }

    pub fn is_up(&self) -> bool {
        self.run.is_some()
    }

    fn config(&self) -> Config {
        let none = PathBuf::new;
        Config {
            unit: self.id.clone(),
            data: none(),
            listen: String::new(),
            root: self.root.clone().into(),
            published: none(),
            keys: none(),
            tokens: none(),
            signatories: node::config::Signatories {
                preparer: "tianbiao".into(),
                reviewer: "tongji".into(),
                head: "fuzeren".into(),
            },
            nats: None,
            accept: self.accept,
            clock: None,
            tls: None,
            listen_without_tls: false,
            proxies: Vec::new(),
            limits: node::config::Limits::default(),
        }
    }

    /// A person's key.
    pub fn person(&self, name: &str) -> SigningKey {
        key(&format!("{}/{name}", self.id), Alg::Ed25519)
    }

    fn books(&self) -> Books {
        let (id, recorder) = (self.id.as_str(), self.person(PEOPLE[0].0));
        let keys = Keys {
            node: key(id, Alg::Ed25519),
            witnesses: vec![key(&format!("{id}/witness"), Alg::CosignatureV1)],
            vault: VaultKey::load(&self.home.join("vault.key")).unwrap(),
            recorders: [(recorder.name().to_string(), recorder)].into(),
            directory: None,
        };
        let fused = |disk: &FailingDisk| Box::new(FusedDisk(disk.clone(), self.fuse.clone()));
        let journal = Journal::open_on(fused(&self.journal), SEGMENT).unwrap();
        let guard = Guard::open_on(fused(&self.guard)).unwrap();
        let mut books = Books::on(
            journal,
            guard,
            &self.home.join("view"),
            keys,
            self.root.clone(),
            self.id.clone(),
        )
        .unwrap();
        books.set_random(self.random.clone());
        books
    }

    /// Starts the unit's process, which may die of it.
    pub fn start(&mut self) -> Result<(), Died> {
        let opened = catch_unwind(AssertUnwindSafe(|| {
            Service::over(
                self.config(),
                self.books(),
                &self.documents,
                Arc::new(self.clock.clone()) as Arc<dyn Clock>,
            )
        }));
        let (service, worker) =
            unless_dead(opened)?.unwrap_or_else(|f| panic!("{} does not start: {f}", self.id));
        let link = SimLink {
            inner: self.post.hub.join(self.path.clone(), self.has_children),
            gate: self.gate.clone(),
            post: self.post.clone(),
            path: self.path.clone(),
            has_children: self.has_children,
        };
        let courier = courier::run(service.clone(), Arc::new(link), self.path.clone());
        let courier = Box::pin(tokio::task::unconstrained(courier));
        self.run = Some(Run {
            courier,
            service,
            worker,
            flag: Arc::default(),
        });
        self.starts += 1;
        Ok(())
    }

    /// The process is gone, without any cleaning up; `power` takes what was not synced with it, by
    /// this chance.
    pub fn kill(&mut self, power: Option<u64>) {
        self.run = None;
        self.fuse.reset();
        self.gate.reset();
        if let Some(seed) = power {
            self.journal.power_loss(seed);
            self.guard.power_loss(seed ^ 0x55);
        }
    }

    /// Lets the process receive so many messages and work until it has nothing to do.
    pub fn step(&mut self, messages: u32) -> Result<(), Died> {
        let Some(run) = &mut self.run else {
            return Ok(());
        };
        self.gate.open(messages);
        let waker = Waker::from(run.flag.clone());
        loop {
            run.flag.0.store(false, Ordering::Relaxed);
            if run
                .courier
                .as_mut()
                .poll(&mut Context::from_waker(&waker))
                .is_ready()
            {
                panic!("the courier of {} has ended", self.id);
            }
            if self.gate.is_dead() {
                return Err(Died);
            }
            let worked = unless_dead(catch_unwind(AssertUnwindSafe(|| run.worker.turn(false))))?;
            if !worked && !run.flag.0.load(Ordering::Relaxed) {
                self.gate.open(0);
                return Ok(());
            }
        }
    }

    /// Works on the books as a request of the API does.
    pub fn call<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Books, DateTime<Utc>) -> Result<T, Faults> + Send + 'static,
    ) -> Result<Result<T, Faults>, Died> {
        let run = self.run.as_mut().expect("the unit is up");
        let service = run.service.clone();
        let mut answer = pin!(service.with(work));
        let mut context = Context::from_waker(Waker::noop());
        assert!(answer.as_mut().poll(&mut context).is_pending());
        while unless_dead(catch_unwind(AssertUnwindSafe(|| run.worker.turn(false))))? {}
        match answer.poll(&mut context) {
            Poll::Ready(result) => Ok(result),
            Poll::Pending => panic!("{} did not answer", self.id),
        }
    }

    /// Looks into the books of a unit that is up and lives.
    pub fn look<T: Send + 'static>(
        &mut self,
        look: impl FnOnce(&Books) -> T + Send + 'static,
    ) -> T {
        let Ok(found) = self.call(move |books, _| Ok(look(books))) else {
            panic!("{} died of a look", self.id)
        };
        found.unwrap()
    }

    pub fn service(&self) -> &Arc<Service> {
        &self.run.as_ref().expect("the unit is up").service
    }
}
