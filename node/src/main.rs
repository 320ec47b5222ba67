//! `countersign-node CONFIG`: runs one unit until it is told to stop.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use clap::Parser;
use miette::{IntoDiagnostic, Result, miette};
use node::config::{Config, Nats};
use node::courier::follow::{self, Placed};
use node::fault::FaultCode;
use node::link::{LinkConfig, LinkError, LinkState, LinkTls, NatsLink};
use node::service::Service;
use node::web::{self, App, serve::Listener, tokens::Tokens};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tracing_subscriber::EnvFilter;

/// A thread that signs keeps or frees what the counting thread made, and the other way round;
/// glibc's allocator takes locks for that, a fifth of the time of an import.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The daemon of one unit.
#[derive(Parser)]
#[command(name = "countersign-node", version)]
struct Args {
    /// Configuration file (TOML).
    config: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    let filter = EnvFilter::try_from_env("COUNTERSIGN_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,async_nats=warn,sled=warn"));
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    // Why it does not start goes to a log file mostly, where whole sentences are searched for.
    let _ = miette::set_hook(Box::new(|_| {
        Box::new(
            miette::MietteHandlerOpts::new()
                .break_words(false)
                .wrap_lines(false)
                .build(),
        )
    }));
    let config = Config::load(&args.config).into_diagnostic()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .into_diagnostic()?;
    runtime.block_on(serve(config))
}

async fn serve(config: Config) -> Result<()> {
    let tokens = Tokens::load(&config.tokens).into_diagnostic()?;
    let listener = Listener::open(&config).await.into_diagnostic()?;
    let service = Service::open(config).map_err(|e| miette!("{e}"))?;
    tracing::info!(
        unit = %service.config.unit,
        listen = %service.config.listen,
        tls = service.config.tls.is_some(),
        "the node is up"
    );
    let courier = match service.config.nats.clone() {
        None => None,
        Some(nats) => {
            let connect = Linker::new(service.clone(), nats);
            let placed = Placed::of(&service).await.map_err(|e| miette!("{e}"))?;
            let link = connect.link(placed.clone()).await.into_diagnostic()?;
            let service = service.clone();
            Some(tokio::spawn(async move {
                follow::run(service, (placed, link), |placed| connect.link(placed)).await;
            }))
        }
    };
    let (router, _) = web::router(App::new(service.clone(), tokens));
    let ended = service.clone();
    let end = async move {
        tokio::select! {
            () = stop() => {}
            () = ended.stopped() => {}
        }
    };
    listener.serve(router, end).await;
    if let Some(courier) = courier {
        courier.abort();
    }
    if service.health().stopped {
        return Err(miette!(
            "the journal could not be read again after a failure; check the disk, then start the \
             node again [{}]",
            FaultCode::NodeStopped
        ));
    }
    let flushed = service
        .with(|books, _| {
            books.view().flush();
            Ok(())
        })
        .await;
    tracing::info!(unit = %service.config.unit, ok = flushed.is_ok(), "the node has stopped");
    Ok(())
}

/// Makes links for where the unit stands, one after the other.
struct Linker {
    service: Arc<Service>,
    nats: Nats,
    /// Takes note of what the newest link says of itself.
    watching: Mutex<Option<AbortHandle>>,
}

impl Linker {
    fn new(service: Arc<Service>, nats: Nats) -> Linker {
        let watching = Mutex::default();
        Linker {
            service,
            nats,
            watching,
        }
    }

    async fn link(&self, placed: Placed) -> Result<Arc<NatsLink>, LinkError> {
        let nats = self.nats.clone();
        let tls = LinkTls {
            required: nats.ca.is_some(),
            first: false,
            ca_file: nats.ca,
            client: nats.client,
        };
        let config = LinkConfig {
            servers: nats.url,
            monitors: nats.monitor,
            seed_file: nats.seed,
            marks_file: self.service.config.data.join("stored"),
            places: placed.places,
            has_children: placed.has_children,
            tls,
        };
        let link = NatsLink::connect(config).await?;
        let watch = tokio::spawn(watch(self.service.clone(), link.watch()));
        // What the one before says as it ends is not about this one.
        if let Ok(mut watching) = self.watching.lock()
            && let Some(before) = watching.replace(watch.abort_handle())
        {
            before.abort();
        }
        Ok(Arc::new(link))
    }
}

/// Keeps what the link says of itself where status and health find it.
async fn watch(service: Arc<Service>, mut states: watch::Receiver<LinkState>) {
    loop {
        let state = states.borrow_and_update().clone();
        service.link_changed(state);
        if states.changed().await.is_err() {
            break;
        }
    }
}

async fn stop() {
    let interrupt = tokio::signal::ctrl_c();
    let Ok(mut terminate) =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
    else {
        // Without a handler for SIGTERM the process still stops by it, only less politely.
        let _ = interrupt.await;
        return;
    };
    tokio::select! {
        _ = interrupt => {}
        _ = terminate.recv() => {}
    }
}
