//! The main job, shown: a federation of separate processes reports a year of months over a real
//! nats-server.
//!
//! Reading order: [`world`] (files and keys), [`federation`] (processes), [`year`] (what happens in
//! an honest year), [`cheat`] (what happens to a county that cheats).

pub mod cheat;
pub mod federation;
pub mod world;
pub mod year;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

use miette::{IntoDiagnostic, Result, miette};
use protocol::catalogue::Catalogue;
use protocol::evidence::{file, report};
use protocol::ids::Tier;
use protocol::note::read_document;
use protocol::period::Month;
use protocol::rollup::Rollup;
use protocol::verify::Outcome;

use crate::cli::output;
use crate::cli::report::print_report;
use crate::ledger::{DEFAULT_SEED, LedgerOptions, LedgerUnit, generate};
use federation::Federation;
use world::{Deploy, World};

/// The cities of the demonstration: 阳泉 with its own plan, and 朔州, so that there are two
/// branches.
pub const CITIES: [&str; 2] = ["140300", "140600"];
/// The year of the demonstration.
pub const YEAR: i32 = 2023;

/// Runs a federation of nodes through a year, or lets a county cheat.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: countersign demo --nats-server target/tools/nats-server --keep")]
pub struct Args {
    /// A county cheats in several ways; each is caught by the check that is named.
    #[arg(long)]
    pub cheat: bool,
    /// Leave the nodes running and print their addresses.
    #[arg(long)]
    pub keep: bool,
    /// Seed of the synthetic ledger.
    #[arg(long, default_value_t = DEFAULT_SEED)]
    pub seed: u64,
    /// How many months of the year.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=12))]
    pub months: u32,
    /// New directory for the federation.
    #[arg(long, default_value = "run/demo")]
    pub dir: PathBuf,
    /// The project's deploy directory.
    #[arg(long, default_value = "deploy")]
    pub deploy: PathBuf,
    /// The nats-server program.
    #[arg(long, default_value = "target/tools/nats-server")]
    pub nats_server: PathBuf,
}

/// Runs the demonstration; true if everything held that should.
///
/// # Errors
/// Anything that does not go as it should.
pub fn run(args: Args) -> Result<bool> {
    let start = Instant::now();
    let months: Vec<Month> = (1..=args.months)
        .filter_map(|m| Month::new(YEAR, m))
        .collect();
    let first = *months.first().ok_or_else(|| miette!("no month"))?;
    if args.dir.exists() {
        // Only what an earlier demonstration left is removed.
        if !args.dir.join("nats.conf").exists()
            && std::fs::read_dir(&args.dir)
                .into_diagnostic()?
                .next()
                .is_some()
        {
            return Err(miette!(
                "{} is there and is not a demonstration's directory; name another one with --dir",
                args.dir.display()
            ));
        }
        std::fs::remove_dir_all(&args.dir).into_diagnostic()?;
    }
    let dir = std::path::absolute(&args.dir).into_diagnostic()?;
    let deploy = Deploy(std::path::absolute(&args.deploy).into_diagnostic()?);
    println!("A federation of separate processes / 由独立进程组成的联邦");
    let world = World::build(&dir, &deploy, &CITIES, first)?;
    let program = std::env::current_exe()
        .into_diagnostic()?
        .with_file_name("countersign-node");
    let mut federation = Federation::start(world, &args.nats_server, &program)?;
    federation.enrol_all()?;
    for tier in [Tier::Province, Tier::City, Tier::County] {
        let names: Vec<String> = federation
            .world
            .tier(tier)
            .map(|m| format!("{} {}", m.id, m.name))
            .collect();
        println!("  {}: {}", tier.zh(), names.join(" · "));
    }
    println!(
        "  nats-server on 127.0.0.1:{} with sync_interval always; files in {}",
        federation.world.nats_port,
        dir.display()
    );
    if args.cheat {
        let caught = cheat::run(&mut federation, args.seed)?;
        println!("done in {:.1} s", start.elapsed().as_secs_f32());
        return Ok(caught);
    }
    let units = federation
        .world
        .members
        .iter()
        .map(|m| LedgerUnit {
            id: m.id.clone(),
            tier: m.tier,
            parent: m.parent.clone(),
        })
        .collect();
    let ledger = generate(&LedgerOptions {
        seed: args.seed,
        year: YEAR,
        units,
    });
    let events: usize = ledger
        .units
        .iter()
        .map(crate::ledger::UnitLedger::events)
        .sum();
    println!(
        "\nA year of {events} synthetic events, {} corrections among them (no person exists; all ID numbers begin with 999999)",
        ledger.corrections.len()
    );
    let indexes: year::Indexes = Mutex::new(BTreeMap::new());
    for month in &months {
        year::month(&federation, &ledger, &indexes, *month)?;
    }
    let holds = conclude(&federation, &months)?;
    println!("\ndone in {:.1} s", start.elapsed().as_secs_f32());
    if args.keep {
        let pids = federation.keep()?;
        println!(
            "\nThe nodes go on running. Stop them with: kill $(cat {})",
            pids.display()
        );
        for m in &federation.world.members {
            println!(
                "  {} {} {} token (recorder) {}",
                m.id,
                m.name,
                m.url(),
                m.token("luru")
            );
        }
    }
    Ok(holds)
}

/// Some of the province's figures with what they rest on: flows of the year added up, stocks at its
/// end.
fn key_figures(
    evidence: &protocol::evidence::Evidence,
    province: &world::Member,
    months: &[Month],
) -> Result<()> {
    let mut rollups = Vec::new();
    for note in evidence
        .units
        .get(&province.id)
        .iter()
        .flat_map(|u| u.rollups.values())
    {
        rollups.push(Rollup::parse(note.text()).into_diagnostic()?);
    }
    let catalogue = Catalogue::from_json(
        read_document(evidence.catalogues[0].text(), "catalogue").into_diagnostic()?,
    )
    .into_diagnostic()?;
    let mut table = output::table(
        output::Style::of_stdout(),
        &[
            "指标 figure",
            "名称 name",
            "数值 value",
            "其中申报 declared part",
            "依据 basis",
        ],
    );
    for id in [
        "I001", "I003", "I011", "I012", "I013", "I014", "I060", "I061", "I095", "I096", "I097",
        "I112", "I118", "I128", "I150", "I152",
    ] {
        let Some(indicator) = catalogue.indicator(id) else {
            continue;
        };
        let figures = rollups.iter().filter_map(|r| r.figure(id));
        let Some(last) = figures.clone().next_back() else {
            continue;
        };
        let (scope, basis) = (
            last.scope(),
            figures.clone().map(|f| f.basis).min().unwrap_or(last.basis),
        );
        let value = match (scope.num, scope.den) {
            (Some(num), Some(den)) if den > 0 => format!(
                "{}.{:02} % ({num}/{den})",
                num * 100 / den,
                num * 10_000 / den % 100
            ),
            (Some(num), Some(den)) => format!("{num}/{den}"),
            _ if indicator.kind.is_flow() => format!(
                "{} {}",
                figures.map(|f| f.scope().value.unwrap_or(0)).sum::<i64>(),
                indicator.unit
            ),
            _ => format!("{} {}", scope.value.unwrap_or(0), indicator.unit),
        };
        let declared = if scope.declared == 0 {
            String::new()
        } else {
            scope.declared.to_string()
        };
        table.add_row([
            id.to_string(),
            indicator.zh.clone(),
            value,
            declared,
            format!("{} {}", basis.zh(), basis.en()),
        ]);
    }
    let counties = evidence.units.len() - 3;
    println!(
        "\nThe province's figures for {} month(s); {counties} counties of two cities take part, not all of the province:",
        months.len()
    );
    output::print(&table);
    Ok(())
}

/// Fetches the province's evidence, verifies it offline, prints what holds.
fn conclude(f: &Federation, months: &[Month]) -> Result<bool> {
    let province = f
        .world
        .tier(Tier::Province)
        .next()
        .ok_or_else(|| miette!("no province"))?;
    let bytes = f
        .client(province.id.as_str(), "jiancha")?
        .evidence()
        .into_diagnostic()?;
    let path = f.world.dir.join("evidence.zip");
    std::fs::write(&path, &bytes).into_diagnostic()?;
    let start = Instant::now();
    let evidence = file::read(&bytes).into_diagnostic()?;
    let report = report::verify(&evidence, &f.world.root).into_diagnostic()?;
    let took = start.elapsed();
    println!();
    print_report(&report, took);
    key_figures(&evidence, province, months)?;
    println!(
        "\nEvidence file: {} ({} KiB)",
        path.display(),
        bytes.len() / 1024
    );
    println!(
        "Check it offline: {} verify {} --root '{}'",
        std::env::current_exe().into_diagnostic()?.display(),
        path.display(),
        f.world.root
    );
    let mut noted: Vec<String> = Vec::new();
    for u in &report.units {
        for m in &u.months {
            noted.extend(
                m.verdicts
                    .iter()
                    .filter(|v| v.outcome == Outcome::Noted && u.tier != Tier::Province)
                    .map(|_| format!("{} {}", u.unit, m.period)),
            );
        }
    }
    // The reports that came late on purpose are noted, and no others: the late county, and the
    // county and city of August.
    let expected: Vec<String> = months
        .iter()
        .flat_map(|m| {
            [year::LATE, year::MISSING]
                .into_iter()
                .filter(|(_, n)| *n == m.month())
                .map(move |(u, _)| format!("{u} {m}"))
        })
        .collect();
    let complete = report.units.len() == f.world.members.len()
        && report.units.iter().all(|u| {
            months
                .iter()
                .all(|m| u.months.iter().any(|x| x.period == *m))
        });
    noted.sort();
    let mut wanted = expected;
    wanted.sort();
    if noted != wanted {
        println!("unexpected notes: {noted:?}, expected {wanted:?}");
    }
    Ok(report.holds() && complete && noted == wanted)
}
