//! Connections: TLS, and every limit that holds before a handler sees a request.
//!
//! axum's own server has no time limit for headers, no bound on connections and no TLS; this one is
//! hyper's HTTP/1 connection with all three. What it bounds: how many connections there are, in all
//! and for one address; how long a TLS handshake and the headers of a request may take (which also
//! ends idle connections); how many and how large headers are (16 KiB with the address, 64 lines);
//! how slowly an answer may be taken; how long a connection lives. How large a body is and how long a request takes is bounded by the
//! router ([`super::router`]), how often somebody asks by [`super::rate`].
//!
//! Without TLS the node listens on this machine only, unless its configuration says in so many
//! words that it should not.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{ServerConfig, crypto::ring};
use zeroize::Zeroizing;

use super::pace::PacedStream;
use crate::config::{Config, Limits, Tls};
use crate::fault::{FaultCode, Faults};

/// Headers of a request, its address included.
pub const MAX_HEADER_BYTES: usize = 16 << 10;
/// Header lines of a request.
pub const MAX_HEADERS: usize = 64;
/// After this time a connection takes no further request …
const MAX_CONNECTION_AGE: Duration = Duration::from_secs(600);
/// … and after this one more it is dropped, so that a reader who takes an answer byte by byte does
/// not hold it for ever.
const MAX_LAST_ANSWER_TIME: Duration = Duration::from_secs(1200);
/// How many that are turned away are told so at the same time; more are dropped without a word.
const MAX_REJECTIONS: usize = 32;
/// How long being turned away may take.
const REJECTION_TIME: Duration = Duration::from_secs(2);

/// Why the API cannot be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// The address is taken, or not of this machine.
    #[error(
        "cannot listen on {listen}: {source}; correct `listen`, or end what listens there [{}]",
        FaultCode::WebListen
    )]
    Listen {
        /// The address.
        listen: String,
        /// What the system said.
        source: io::Error,
    },
    /// Reachable from other machines without TLS.
    #[error(
        "{listen} can be reached from other machines, and the API would speak plain HTTP: tokens \
         and private fields could be read on the way. Give [tls] cert and key, or listen on \
         127.0.0.1 behind a proxy that adds TLS; if something else encrypts the way, say so with \
         `listen_without_tls = true` [{}]",
        FaultCode::WebPlain
    )]
    Plain {
        /// The address.
        listen: SocketAddr,
    },
    /// Certificate or key cannot be used.
    #[error("TLS of the API, {path}: {reason} [{}]", FaultCode::WebTls)]
    Tls {
        /// The file.
        path: PathBuf,
        /// Why. Never the key.
        reason: String,
    },
}

impl ServeError {
    /// A stable name of this error.
    pub fn code(&self) -> FaultCode {
        match self {
            ServeError::Listen { .. } => FaultCode::WebListen,
            ServeError::Plain { .. } => FaultCode::WebPlain,
            ServeError::Tls { .. } => FaultCode::WebTls,
        }
    }
}

/// A bound address with its TLS; nobody is answered before [`Listener::serve`].
pub struct Listener {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    limits: Limits,
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Listener({:?}, tls: {})",
            self.listener.local_addr(),
            self.tls.is_some()
        )
    }
}

/// Who is at the other end of the connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

impl Listener {
    /// Binds the configured address, reads certificate and key, and refuses to be open to other
    /// machines without TLS.
    ///
    /// # Errors
    /// See [`ServeError`].
    pub async fn open(config: &Config) -> Result<Listener, ServeError> {
        let failed = |source| ServeError::Listen {
            listen: config.listen.clone(),
            source,
        };
        let tls = config.tls.as_ref().map(acceptor).transpose()?;
        let listener = TcpListener::bind(&config.listen).await.map_err(failed)?;
        let listen = listener.local_addr().map_err(failed)?;
        if tls.is_none() && !listen.ip().to_canonical().is_loopback() && !config.listen_without_tls
        {
            return Err(ServeError::Plain { listen });
        }
        Ok(Listener {
            listener,
            tls,
            limits: config.limits.clone(),
        })
    }

    /// The address, with the port that the system chose if the configuration left it open.
    ///
    /// # Errors
    /// The system's.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until `stop` ends, then lets the requests in work finish.
    pub async fn serve(self, router: Router, stop: impl Future<Output = ()>) {
        let Listener {
            listener,
            tls,
            limits,
        } = self;
        let (stopping, stopped) = watch::channel(false);
        let places = ConnectionLimits {
            total: Semaphore::new(limits.connections),
            each: limits.connections_per_address,
            held: Mutex::default(),
        };
        let (places, away) = (Arc::new(places), Arc::new(Semaphore::new(MAX_REJECTIONS)));
        let limits = Arc::new(limits);
        let mut tasks = JoinSet::new();
        let mut stop = std::pin::pin!(stop);
        loop {
            let (stream, peer) = tokio::select! {
                () = &mut stop => break,
                Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => (stream, peer.ip().to_canonical()),
                    Err(e) => {
                        // Mostly that there are no file descriptors: connections that end give some
                        // back.
                        tracing::warn!(error = %e, "a connection could not be accepted");
                        tokio::time::sleep(Duration::from_millis(200)).await;
                        continue;
                    }
                },
            };
            let Some(room) = ConnectionLimits::take(&places, peer) else {
                // A handshake only to say no would cost more than it is worth.
                if let (None, Ok(place)) = (&tls, away.clone().try_acquire_owned()) {
                    tasks.spawn(async move {
                        let _ = tokio::time::timeout(REJECTION_TIME, reject(stream)).await;
                        drop(place);
                    });
                }
                continue;
            };
            let (router, tls, limits, stopped) =
                (router.clone(), tls.clone(), limits.clone(), stopped.clone());
            let stream = PacedStream::new(stream, &limits);
            tasks.spawn(async move {
                match tls {
                    None => connection(stream, peer, router, &limits, stopped).await,
                    Some(tls) => {
                        match tokio::time::timeout(limits.header_time(), tls.accept(stream)).await {
                            Ok(Ok(stream)) => {
                                connection(stream, peer, router, &limits, stopped).await
                            }
                            Ok(Err(e)) => tracing::debug!(%peer, error = %e, "no TLS"),
                            Err(_) => tracing::debug!(%peer, "the TLS handshake took too long"),
                        }
                    }
                }
                drop(room);
            });
        }
        drop(listener);
        let _ = stopping.send(true);
        // No request takes longer than its own limit; who still reads an answer then is cut off.
        let _ = tokio::time::timeout(limits.request_time(), async {
            while tasks.join_next().await.is_some() {}
        })
        .await;
    }
}

/// Places for connections.
struct ConnectionLimits {
    total: Semaphore,
    each: usize,
    held: Mutex<HashMap<IpAddr, usize>>,
}

/// One place; free again when it is dropped.
struct ConnectionPlace {
    places: Arc<ConnectionLimits>,
    peer: IpAddr,
}

impl ConnectionLimits {
    fn take(places: &Arc<ConnectionLimits>, peer: IpAddr) -> Option<ConnectionPlace> {
        let total = places.total.try_acquire().ok()?;
        let mut held = places.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(peer).or_default();
        if *count >= places.each {
            return None;
        }
        *count += 1;
        total.forget();
        Some(ConnectionPlace {
            places: places.clone(),
            peer,
        })
    }
}

impl Drop for ConnectionPlace {
    fn drop(&mut self) {
        let mut held = self
            .places
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = held.get_mut(&self.peer) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.peer);
            }
        }
        self.places.total.add_permits(1);
    }
}

/// Serves one connection to its end.
async fn connection<S>(
    stream: S,
    peer: IpAddr,
    router: Router,
    limits: &Limits,
    mut stopped: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        router.call(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time())
        .max_headers(MAX_HEADERS)
        .max_header_size(MAX_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = &mut connection => Some(ended),
        _ = stopped.wait_for(|s| *s) => None,
        () = tokio::time::sleep(MAX_CONNECTION_AGE) => None,
    };
    let ended = match ended {
        Some(ended) => Ok(ended),
        None => {
            connection.as_mut().graceful_shutdown();
            tokio::time::timeout(MAX_LAST_ANSWER_TIME, connection).await
        }
    };
    match ended {
        Ok(Ok(())) => {}
        Ok(Err(e)) => tracing::debug!(%peer, error = %e, "a connection ended"),
        Err(_) => tracing::debug!(%peer, "a connection was too old"),
    }
}

/// Answers 503 with `Retry-After` to a client for whom there is no place.
async fn reject(mut stream: TcpStream) {
    // A list of texts: JSON has a form for every one of them.
    let body = serde_json::to_string(&busy()).expect("texts are always JSON");
    let head = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\n\
                retry-after: 5\r\nconnection: close";
    let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    if stream.write_all(answer.as_bytes()).await.is_ok() && stream.shutdown().await.is_ok() {
        // Until the other side has read it: closing with unread bytes would take the answer away.
        let mut rest = [0; 1024];
        while stream.read(&mut rest).await.is_ok_and(|n| n > 0) {}
    }
}

fn busy() -> Faults {
    Faults::one(
        FaultCode::LimitConnections,
        "连接数已满,请稍后再试",
        "there are too many connections; come again in a moment",
    )
}

/// Reads certificate and key.
fn acceptor(tls: &Tls) -> Result<TlsAcceptor, ServeError> {
    let wrong = |path: &Path, reason: String| ServeError::Tls {
        path: path.to_owned(),
        reason,
    };
    let text = std::fs::read(&tls.cert).map_err(|e| wrong(&tls.cert, e.to_string()))?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<_, _>>()
        .map_err(|e| wrong(&tls.cert, e.to_string()))?;
    if chain.is_empty() {
        return Err(wrong(
            &tls.cert,
            "it holds no certificate in PEM form".into(),
        ));
    }
    let mode = std::fs::metadata(&tls.key)
        .map_err(|e| wrong(&tls.key, e.to_string()))?
        .permissions()
        .mode()
        & 0o777;
    if mode & 0o077 != 0 {
        return Err(wrong(
            &tls.key,
            format!("others can read it (mode {mode:03o}); run chmod 600"),
        ));
    }
    let text = Zeroizing::new(std::fs::read(&tls.key).map_err(|e| wrong(&tls.key, e.to_string()))?);
    let key = PrivateKeyDer::from_pem_slice(&text)
        .map_err(|_| wrong(&tls.key, "it holds no private key in PEM form".into()))?;
    let provider = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| wrong(&tls.cert, e.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|e| wrong(&tls.key, format!("it does not fit the certificate: {e}")))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
