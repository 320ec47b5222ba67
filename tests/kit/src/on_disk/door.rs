//! A node's API on a port of its own.

use std::net::SocketAddr;

use node::service::Service;
use node::web::serve::Listener;
use node::web::{self, App, tokens::Tokens};
use tokio::runtime::{Builder, Runtime};

/// A node's API; it ends with the value.
pub struct Door {
    pub at: SocketAddr,
    /// As the router tells what it knows.
    pub routes: String,
    pub openapi: serde_json::Value,
    pub runtime: Runtime,
}

impl Door {
    /// Opens it for the tokens of the service's own file.
    pub fn open(service: std::sync::Arc<Service>) -> Door {
        let tokens = Tokens::load(&service.config.tokens).unwrap();
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = runtime.block_on(Listener::open(&service.config)).unwrap();
        let at = listener.address().unwrap();
        let (router, api) = web::router(App::new(service, tokens));
        let routes = format!("{router:?}");
        let openapi = serde_json::to_value(&api).unwrap();
        runtime.spawn(listener.serve(router, std::future::pending()));
        Door {
            at,
            routes,
            openapi,
            runtime,
        }
    }
}
