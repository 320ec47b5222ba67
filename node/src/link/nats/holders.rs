//! Looks after the servers that hold the streams: who they are, who leads, and whether each has
//! shown that it syncs before it acknowledges.

use super::info::Consumer;
use super::verified::{Holders, Verified};
use super::wire::{Presence, Wire, connected};
use crate::link::access;
use crate::link::durability::{self, Holder, Shown};
use crate::link::error::LinkError;
use crate::link::state::Durability;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How often it is asked who holds the streams while all is well.
const LOOK_INTERVAL: Duration = Duration::from_secs(10);
/// How often while there is trouble.
const TROUBLE_INTERVAL: Duration = Duration::from_secs(2);
/// How often the monitoring addresses are asked while all is well: a server that is started again
/// with another configuration is not noticed otherwise where the node is connected to another one.
const RECHECK_INTERVAL: Duration = Duration::from_secs(300);
/// A server by which nothing goes through for so long is left for the next address.
const LEAVE_AFTER: Duration = Duration::from_secs(15);
/// How long a message is waited for before it is asked whether somebody still leads.
const DOUBT_AFTER: Duration = Duration::from_secs(2);

impl Wire {
    /// Makes sure that each server that holds a stream of this unit has shown `sync_always` since
    /// the last connect; returns the id of the connected server.
    pub(super) async fn ensure_durable(&self) -> Result<String, LinkError> {
        let mut verified = self.shared.verified.lock().await;
        let server = self.client.server_info().server_id;
        if !server.is_empty() && verified.server.as_ref() == Some(&server) {
            return Ok(server);
        }
        let holders = self.holders().await?;
        self.verify(&mut verified, server, holders).await
    }

    /// Looks who holds the streams, and has it shown again where they are others or it is time.
    async fn look(&self) -> Result<(), LinkError> {
        let holders = self.holders().await?;
        let mut verified = self.shared.verified.lock().await;
        let server = self.client.server_info().server_id;
        let names = |holders: &Holders| -> Vec<(&'static str, Vec<String>)> {
            let sorted = |list: &Vec<Holder>| {
                let mut names = Vec::from_iter(list.iter().map(|holder| holder.name.clone()));
                names.sort();
                names
            };
            holders.iter().map(|(s, list)| (*s, sorted(list))).collect()
        };
        let is_fresh = verified.until.is_some_and(|until| Instant::now() < until);
        let same = names(&verified.holders) == names(&holders);
        if verified.server.as_ref() == Some(&server) && is_fresh && same {
            return Ok(());
        }
        self.verify(&mut verified, server, holders).await.map(drop)
    }

    /// Asks all monitoring addresses and judges.
    async fn verify(
        &self,
        verified: &mut Verified,
        server: String,
        holders: Holders,
    ) -> Result<String, LinkError> {
        verified.forget();
        let answers = ask_all(&self.shared.config.monitors).await;
        let mut all_shown = true;
        for list in holders.values() {
            match durability::judge(list, &answers, &mut verified.promises) {
                Ok(shown) => all_shown &= shown,
                Err(error) => {
                    self.shared.state.send_modify(|s| {
                        s.durability = Durability::Refused(error.to_string());
                    });
                    self.shared.trouble(&error);
                    return Err(error);
                }
            }
        }
        let again = if all_shown {
            RECHECK_INTERVAL
        } else {
            LOOK_INTERVAL
        };
        verified.until = Some(Instant::now() + again);
        verified.holders = holders;
        verified.server = Some(server.clone());
        self.shared.state.send_if_modified(|s| {
            let fresh = s.durability != Durability::Always;
            s.durability = Durability::Always;
            fresh
        });
        Ok(server)
    }

    /// Who holds the streams that this unit writes into.
    async fn holders(&self) -> Result<Holders, LinkError> {
        let config = &self.shared.config;
        let mut all = Holders::new();
        for (stream, _) in access::streams_written(config.places.last(), config.has_children) {
            all.insert(stream, self.holders_of(stream).await?);
        }
        Ok(all)
    }

    /// Asks who holds a stream, and takes note of how it stands with it.
    async fn holders_of(&self, stream: &'static str) -> Result<Vec<Holder>, LinkError> {
        let name = access::holders_consumer(stream);
        let consumer = self.consumer(&name).await?;
        if !matches!(consumer, Consumer::Missing) {
            self.shared.note_presence(stream, consumer.presence());
        }
        // Where the stream is gone its consumer need not be named as well.
        let of_consumer = match &consumer {
            Consumer::Missing => Presence::Missing,
            _ => Presence::There,
        };
        self.shared.note_presence(&name, of_consumer);
        match consumer {
            Consumer::There { holders, .. } => {
                let leader = holders.first().map(|holder| holder.name.clone());
                let is_other = self.shared.leaders.send_if_modified(|leaders| {
                    let leader = leader.unwrap_or_default();
                    leaders.insert(stream, leader.clone()) != Some(leader)
                });
                if is_other {
                    self.shared.doubt(stream);
                }
                Ok(holders)
            }
            Consumer::Leaderless => {
                // Whoever leads next is another leader, be it the same server.
                self.shared
                    .leaders
                    .send_if_modified(|leaders| leaders.remove(stream).is_some());
                Err(LinkError::NoLeader {
                    subject: stream.to_owned(),
                })
            }
            Consumer::Missing => Err(LinkError::NotProvisioned { subject: name }),
            Consumer::WithoutStream => Err(LinkError::NotProvisioned {
                subject: stream.to_owned(),
            }),
        }
    }

    /// Waits until the stream is led by another server than now, or by none: that one answers no
    /// message any more. For ever where the leader stays.
    pub(super) async fn leader_changes(&self, stream: &'static str) {
        let mut leaders = self.shared.leaders.subscribe();
        let now = leaders.borrow().get(stream).cloned();
        let asks = async {
            loop {
                sleep(DOUBT_AFTER).await;
                self.shared.doubted.notify_one();
            }
        };
        let changes = async {
            let changed = leaders.wait_for(|leaders| leaders.get(stream) != now.as_ref());
            if changed.await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = asks => {}
            () = changes => {}
        }
    }

    /// What it means that a message got no answer from the stream.
    pub(super) async fn explained(&self, stream: &'static str, error: LinkError) -> LinkError {
        let (LinkError::NotProvisioned { subject } | LinkError::Timeout { subject, .. }) = &error
        else {
            return error;
        };
        let is_timeout = matches!(error, LinkError::Timeout { .. });
        let subject = subject.clone();
        match self.holders_of(stream).await {
            Err(LinkError::NoLeader { .. }) => LinkError::NoLeader { subject },
            // Nobody took the message, and now somebody would: a leader was elected meanwhile.
            Ok(_) if !is_timeout => LinkError::NoLeader { subject },
            // Nobody took it, and of those who could say why none does: so it is for the first
            // seconds after a leader is gone.
            Err(LinkError::Timeout { .. }) if !is_timeout => {
                self.shared.note_presence(stream, Presence::Leaderless);
                LinkError::NoLeader { subject }
            }
            _ => error,
        }
    }
}

/// Asks all addresses at once: one of a machine that is down takes seconds.
async fn ask_all(monitors: &[String]) -> Vec<(String, Shown)> {
    let asked = monitors.iter().map(|monitor| {
        let address = monitor.clone();
        (
            monitor.clone(),
            tokio::task::spawn_blocking(move || durability::ask(&address)),
        )
    });
    let mut answers = Vec::new();
    for (monitor, answer) in Vec::from_iter(asked) {
        let shown = answer
            .await
            .unwrap_or_else(|_| Err("was not asked".to_owned()));
        answers.push((monitor, shown));
    }
    answers
}

/// Looks for as long as the link lives, so that the status page tells the truth before anything is
/// sent, and leaves a server by which nothing goes through.
pub(super) async fn watch_holders(wire: Wire) {
    let mut state = wire.shared.state.subscribe();
    let mut trouble_since = None;
    loop {
        let Some(connects) = connected(&mut state).await else {
            return;
        };
        let looked = wire.look().await;
        let is_well = match &looked {
            // What the operator did not make is nowhere else either.
            Ok(()) | Err(LinkError::NotProvisioned { .. }) => true,
            // A slow line that carries much else.
            Err(LinkError::Timeout { .. }) => wire.shared.answered_within(LEAVE_AFTER),
            Err(_) => false,
        };
        if let Err(error) = &looked
            && state.borrow().connects == connects
        {
            wire.shared.trouble(error);
        }
        trouble_since = match (is_well, trouble_since) {
            (true, _) => None,
            (false, since) => Some(since.unwrap_or_else(Instant::now)),
        };
        if trouble_since.is_some_and(|since: Instant| since.elapsed() >= LEAVE_AFTER) {
            wire.leave().await;
            trouble_since = None;
        }
        let interval = if looked.is_ok() {
            LOOK_INTERVAL
        } else {
            TROUBLE_INTERVAL
        };
        tokio::select! {
            () = sleep(interval) => {}
            () = wire.shared.doubted.notified() => {}
            moved = state.wait_for(|s| s.connects != connects) => if moved.is_err() { return },
        }
    }
}

impl Wire {
    /// Leaves the server for another address, where there is one.
    async fn leave(&self) {
        let servers = self.client.server_pool().await;
        let servers = servers.map_or(0, |servers| servers.len());
        if servers < 2 {
            return;
        }
        let before = self.client.server_info().server_id;
        let mut state = self.shared.state.subscribe();
        // Which of the addresses is that of this server nobody tells: it may be the next one.
        for _ in 0..servers {
            let connects = state.borrow().connects;
            self.shared.address.ask_for_next();
            tracing::warn!(
                server = before,
                "nothing goes through: another server is tried"
            );
            if self.client.force_reconnect().await.is_err() {
                return;
            }
            let moved = state.wait_for(|s| s.connects != connects);
            let moved = tokio::time::timeout(LEAVE_AFTER, moved).await;
            if moved.is_err() || self.client.server_info().server_id != before {
                return;
            }
        }
    }
}
