//! Random cases that can be repeated: the seed of a run that fails is printed, `COUNTERSIGN_SEED=n`
//! repeats it, and `COUNTERSIGN_ROUNDS=n` makes every run n times as long.

use std::hash::{BuildHasher, RandomState};

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|n| {
        n.parse()
            .unwrap_or_else(|_| panic!("{variable} must be a number, not {n:?}"))
    })
}

/// Runs a property over `cases` random values. A value that fails is made smaller before it is
/// shown.
#[track_caller]
pub fn rounds<S: Strategy>(
    cases: u32,
    values: S,
    property: impl Fn(S::Value) -> Result<(), TestCaseError>,
) {
    let seed = number("COUNTERSIGN_SEED").unwrap_or_else(|| RandomState::new().hash_one(0) >> 1);
    let cases =
        cases.saturating_mul(u32::try_from(number("COUNTERSIGN_ROUNDS").unwrap_or(1)).unwrap());
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    if let Err(error) = runner.run(&values, property) {
        panic!("COUNTERSIGN_SEED={seed} repeats this\n{error}");
    }
}
