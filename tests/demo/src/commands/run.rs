//! `countersign-demo run`: the demonstration. An honest year, or a month with cheats.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

use admin::cli::output;
use admin::cli::report::render;
use miette::{IntoDiagnostic, Result, miette};
use protocol::catalogue::{Catalogue, Indicator};
use protocol::evidence::report::Report;
use protocol::evidence::{Evidence, file, report};
use protocol::figure::{Basis, Figure};
use protocol::ids::Tier;
use protocol::note::read_document;
use protocol::period::Month;
use protocol::readable::Measure;
use protocol::rollup::Rollup;
use protocol::verdict::Outcome;

use crate::cheat;
use crate::federation::Federation;
use crate::ledger::{DEFAULT_SEED, UnitLedger};
use crate::world::{Deploy, World};
use crate::year::{self, CITIES, YEAR};

/// The figures of the province that are shown at the end.
const SHOWN: [&str; 16] = [
    "I001", "I003", "I011", "I012", "I013", "I014", "I060", "I061", "I095", "I096", "I097", "I112",
    "I118", "I128", "I150", "I152",
];

/// Runs a federation of nodes through a year, or lets a county cheat.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  countersign-demo run --nats-server target/tools/nats-server --keep"
)]
pub(super) struct Args {
    /// A county cheats in several ways; each is caught by the check that is named.
    #[arg(long)]
    cheat: bool,
    /// Leave the nodes running and print their addresses.
    #[arg(long)]
    keep: bool,
    /// Have three nats-servers in a cluster, and kill one in each month.
    #[arg(long, conflicts_with = "cheat")]
    cluster: bool,
    /// Seed of the synthetic ledger.
    #[arg(long, default_value_t = DEFAULT_SEED)]
    seed: u64,
    /// How many months of the year.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u32).range(1..=12))]
    months: u32,
    /// New directory for the federation.
    #[arg(long, default_value = "run/demo")]
    dir: PathBuf,
    /// The project's deploy directory.
    #[arg(long, default_value = "deploy")]
    deploy: PathBuf,
    /// The nats-server program.
    #[arg(long, default_value = "target/tools/nats-server")]
    nats_server: PathBuf,
}

/// Runs the demonstration; true if everything held that should.
///
/// # Errors
/// Anything that does not go as it should.
pub(super) fn run(args: &Args) -> Result<bool> {
    let start = Instant::now();
    let months: Vec<Month> = (1..=args.months)
        .filter_map(|m| Month::new(YEAR, m))
        .collect();
    let mut federation = start_federation(args, &months)?;
    if args.cheat {
        let caught = cheat::run(&mut federation, args.seed)?;
        println!("done in {:.1} s", start.elapsed().as_secs_f32());
        return Ok(caught);
    }
    honest_year(&mut federation, args.seed, &months)?;
    let holds = conclude(&federation, &months)?;
    println!("\ndone in {:.1} s", start.elapsed().as_secs_f32());
    if args.keep {
        keep(&mut federation)?;
    }
    Ok(holds)
}

/// Removes what an earlier demonstration left; nothing else is ever removed.
fn clear(dir: &Path) -> Result<()> {
    if !dir.exists() {
        return Ok(());
    }
    let of_a_demonstration = dir.join("nats.conf").exists();
    let empty = std::fs::read_dir(dir).into_diagnostic()?.next().is_none();
    if !of_a_demonstration && !empty {
        return Err(miette!(
            "{} is there and is not a demonstration's directory; name another one with --dir",
            dir.display()
        ));
    }
    std::fs::remove_dir_all(dir).into_diagnostic()
}

fn start_federation(args: &Args, months: &[Month]) -> Result<Federation> {
    let first = *months.first().ok_or_else(|| miette!("no month"))?;
    clear(&args.dir)?;
    let dir = std::path::absolute(&args.dir).into_diagnostic()?;
    let deploy = Deploy(std::path::absolute(&args.deploy).into_diagnostic()?);
    println!("A federation of separate processes / 由独立进程组成的联邦");
    let mut world = World::build(&dir, &deploy, &CITIES, first)?;
    if args.cluster {
        world.make_cluster()?;
        world.write_configs()?;
    }
    let program = std::env::current_exe()
        .into_diagnostic()?
        .with_file_name("countersign-node");
    let federation = Federation::start(world, &args.nats_server, &program)?;
    federation.enrol_all()?;
    for tier in [Tier::Province, Tier::City, Tier::County] {
        let members = federation.world.tier(tier);
        let names: Vec<String> = members.map(|m| format!("{} {}", m.id, m.name)).collect();
        println!("  {}: {}", tier.zh(), names.join(" · "));
    }
    println!(
        "  nats-server on {} with sync_interval always; files in {}",
        federation.world.nats_url(),
        dir.display()
    );
    Ok(federation)
}

fn honest_year(federation: &mut Federation, seed: u64, months: &[Month]) -> Result<()> {
    let ledger = federation.world.ledger(seed, YEAR);
    let events: usize = ledger.units.iter().map(UnitLedger::events).sum();
    println!(
        "\nA year of {events} synthetic events, {} corrections among them (no person exists; \
         all ID numbers begin with 999999)",
        ledger.corrections.len()
    );
    let indexes: year::Indexes = Mutex::new(BTreeMap::new());
    let servers = federation.world.cluster.clone();
    for (at, month) in months.iter().enumerate() {
        // Each is down for a month, while the two others carry it; it comes back for the next.
        let dies = servers.get(at % servers.len().max(1));
        if let Some(server) = dies {
            println!(
                "  {month}: nats-server {} is killed / 已强制停止",
                server.name
            );
            federation.kill_server(at % servers.len());
        }
        year::month(federation, &ledger, &indexes, *month)?;
        if dies.is_some() {
            federation.start_server(at % servers.len())?;
        }
    }
    Ok(())
}

fn keep(federation: &mut Federation) -> Result<()> {
    let pids = federation.keep()?;
    println!(
        "\nThe nodes go on running. Stop them with: kill $(cat {})",
        pids.display()
    );
    for m in &federation.world.members {
        let token = m.token("luru");
        println!("  {} {} {} token (recorder) {token}", m.id, m.name, m.url());
    }
    Ok(())
}

/// Fetches the province's evidence, verifies it offline, prints what holds.
fn conclude(f: &Federation, months: &[Month]) -> Result<bool> {
    let province = f.world.province()?;
    let inspector = f.client(province.id.as_str(), "jiancha")?;
    let bytes = inspector.evidence().into_diagnostic()?;
    let path = f.world.dir.join("evidence.zip");
    std::fs::write(&path, &bytes).into_diagnostic()?;
    let start = Instant::now();
    let evidence = file::read(&bytes).into_diagnostic()?;
    let report = report::verify(&evidence, &f.world.root).into_diagnostic()?;
    let took = start.elapsed();
    println!();
    output::say(&render(&report, took, output::Style::of_stdout()));
    key_figures(&evidence, f, months)?;
    println!(
        "\nEvidence file: {} ({} KiB)",
        path.display(),
        bytes.len() / 1024
    );
    let countersign = std::env::current_exe()
        .into_diagnostic()?
        .with_file_name("countersign");
    println!(
        "Check it offline: {} verify {} --root '{}'",
        countersign.display(),
        path.display(),
        f.world.root
    );
    Ok(as_planned(&report, f, months))
}

/// Whether everything holds, nothing is missing, and exactly the planned accidents are noted.
fn as_planned(report: &Report, f: &Federation, months: &[Month]) -> bool {
    let complete = report.units.len() == f.world.members.len()
        && report.units.iter().all(|u| {
            months
                .iter()
                .all(|m| u.months.iter().any(|x| x.period == *m))
        });
    let (noted, wanted) = (noted(report), planned(months));
    if noted != wanted {
        println!("unexpected notes: {noted:?}, expected {wanted:?}");
    }
    report.holds() && complete && noted == wanted
}

/// Unit and month of every note below the province.
fn noted(report: &Report) -> Vec<String> {
    let mut noted = Vec::new();
    for unit in report.units.iter().filter(|u| u.tier != Tier::Province) {
        for month in &unit.months {
            let notes = month
                .verdicts
                .iter()
                .filter(|v| v.outcome == Outcome::Noted);
            noted.extend(notes.map(|_| format!("{} {}", unit.unit, month.period)));
        }
    }
    noted.sort();
    noted
}

/// The reports that came late on purpose are noted: the late county, and the county of August.
fn planned(months: &[Month]) -> Vec<String> {
    let mut planned = Vec::new();
    for month in months {
        let accidents = [year::LATE, year::MISSING].into_iter();
        let now = accidents.filter(|(_, number)| *number == month.month());
        planned.extend(now.map(|(unit, _)| format!("{unit} {month}")));
    }
    planned.sort();
    planned
}

/// Some of the province's figures with what they rest on: flows of the year added up, stocks at its
/// end.
fn key_figures(evidence: &Evidence, f: &Federation, months: &[Month]) -> Result<()> {
    let province = evidence.units.get(&f.world.province()?.id);
    let rollups = province
        .iter()
        .flat_map(|u| u.rollups.values())
        .map(|note| Rollup::parse(note.text()).into_diagnostic())
        .collect::<Result<Vec<_>>>()?;
    let json = read_document(evidence.catalogues[0].text(), "catalogue").into_diagnostic()?;
    let catalogue = Catalogue::from_json(json).into_diagnostic()?;
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
    for id in SHOWN {
        let figures: Vec<&Figure> = rollups.iter().filter_map(|r| r.figure(id)).collect();
        if let (Some(indicator), Some(last)) = (catalogue.indicator(id), figures.last()) {
            table.add_row(figure_row(indicator, &figures, last));
        }
    }
    let counties = evidence.units.len() - 3;
    println!(
        "\nThe province's figures for {} month(s); {counties} counties of two cities take part, \
         not all of the province:",
        months.len()
    );
    output::print(&table);
    Ok(())
}

fn figure_row(indicator: &Indicator, months: &[&Figure], last: &Figure) -> [String; 5] {
    let scope = last.scope();
    let basis: Basis = months.iter().map(|f| f.basis).min().unwrap_or(last.basis);
    let value = match (scope.num, scope.den) {
        (Some(num), Some(den)) => output::percent(num, den),
        _ if indicator.kind.is_flow() => {
            let values = months.iter().map(|f| f.scope().value.unwrap_or(0));
            Measure::of(indicator).text(values.sum())
        }
        _ => Measure::of(indicator).text(scope.value.unwrap_or(0)),
    };
    let declared = match scope.declared {
        0 => String::new(),
        n => n.to_string(),
    };
    [
        indicator.id.clone(),
        indicator.zh.clone(),
        value,
        declared,
        format!("{} {}", basis.zh(), basis.en()),
    ]
}
