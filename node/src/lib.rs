//! One unit at work: the daemon.

pub mod books;
pub mod clock;
pub mod config;
pub mod desk;
pub mod fault;
pub mod journal;
pub mod link;
pub mod review;
pub mod vault;
pub mod view;
pub mod courier;
pub mod service;
pub mod web;
