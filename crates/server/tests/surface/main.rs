//! The surface as others meet it: routes over a real engine in a folder of its own, the
//! command line's help, and the mistakes one makes in settings.

mod bad_inputs;
mod cli;
mod credentials;
mod demo;
mod door;
mod folder;
mod journey;
mod mail;
mod management;
mod network;
mod settings;
mod visits;
mod world;
