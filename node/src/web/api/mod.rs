//! The JSON API under `/api`: a handler asks who calls, hands the request to the room that does the
//! work, and writes down what it says.

pub mod answer;
pub mod batches;
pub mod below;
pub mod desk;
pub mod evidence;
pub mod figure_shapes;
pub mod figures;
pub mod monitor;
pub mod operators;
pub mod read;
pub mod review;
pub mod shapes;
