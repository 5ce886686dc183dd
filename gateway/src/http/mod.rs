//! HTTP without the wire: what a request says, and what goes back. Nothing here knows a resource.

pub mod answer;
pub mod cookie;
pub mod cursor;
pub mod download;
pub mod json;
pub mod limit;
pub mod negotiate;
pub mod path;
pub mod problem;
pub mod request;
pub mod shape;
pub mod source;
pub mod written;
