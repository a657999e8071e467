//! `onetrip demo`: everything on one machine, with a private PostgreSQL server, real divisions, staff for some streets
//! and cases in every state.

mod cases;
mod reference;

use crate::{
    config::Config,
    database,
    failure::{Doing, Failure},
    serve::{self, Role},
    tools,
};
use clap::Args;
use onetrip_casework::system_clock;
use onetrip_cluster::{Cluster, Durability, default_base_dir};
use onetrip_event_log::MasterKey;
use prometheus::Registry;
use reference::SignIn;
use std::{
    net::SocketAddr,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

const DATABASE: &str = "onetrip";
const BOSTON_FILE: &str = "ops/data/boston311-2015.csv.gz";
const BOSTON_MAPPING: &str = "ops/import/boston311.toml";

#[derive(Args)]
pub struct DemoArgs {
    /// Port to serve on
    #[arg(long, default_value_t = 8080)]
    port: u16,
    /// Folder for all data, kept between starts
    #[arg(long)]
    data_dir: Option<PathBuf>,
    /// Throw away the data of an earlier run first
    #[arg(long)]
    fresh: bool,
    /// Also import the 120,948 real cases of the Boston file (run from the project's folder)
    #[arg(long)]
    with_boston: bool,
}

pub async fn demo(mut config: Config, args: DemoArgs) -> Result<(), Failure> {
    let data_dir = match args.data_dir {
        Some(folder) => folder,
        None => default_base_dir("onetrip")
            .doing("choosing a data folder")?
            .join("demo"),
    };
    // Heard from the first moment on, so that Ctrl-C during a long start also stops the server.
    let stop = tokio::spawn(serve::stop_signal());
    let cluster = if config.database_url.is_some() {
        None
    } else {
        if args.fresh {
            throw_away(&data_dir).await?;
        }
        private_folder(&data_dir)?;
        Some(start_cluster(&data_dir).await?)
    };
    private_folder(&data_dir)?;
    let result = async {
        if let Some(cluster) = &cluster {
            config.database_url = Some(
                cluster
                    .ensure_database(DATABASE)
                    .await
                    .doing("making the database")?,
            );
        }
        config.master_key_file = Some(master_key(&data_dir)?);
        config.listen = SocketAddr::from(([127, 0, 0, 1], args.port));
        run(&config, &data_dir, args.with_boston, stop).await
    }
    .await;
    if let Some(cluster) = cluster {
        tokio::task::spawn_blocking(move || cluster.stop())
            .await
            .doing("stopping PostgreSQL")?
            .doing("stopping PostgreSQL")?;
    }
    result
}

async fn run(
    config: &Config,
    data_dir: &Path,
    with_boston: bool,
    stop: tokio::task::JoinHandle<()>,
) -> Result<(), Failure> {
    let pool = database::connect_to_serve(config).await?;
    database::migrate(&pool).await?;
    reference::seed_divisions_and_units(&pool).await?;
    let registry = Registry::new();
    let casework = database::casework(config, pool.clone(), system_clock(), &registry).await?;
    let sign_ins = reference::seed_staff(&casework).await?;
    cases::seed(config, &casework).await?;
    if with_boston {
        let args = tools::ImportArgs {
            mapping: BOSTON_MAPPING.into(),
            file: BOSTON_FILE.into(),
            rejects: Some(data_dir.join("boston311.rejects.csv")),
        };
        tools::import_into(&casework, &args).await?;
    }
    write_sign_ins(data_dir, &sign_ins)?;
    let stop = async {
        if let Err(error) = stop.await {
            tracing::error!(%error, "the stop signal is not heard any more");
        }
    };
    let listen = config.listen;
    serve::run(config, casework, registry, Role::All, listen, stop, || {
        announce(listen, data_dir, &sign_ins)
    })
    .await
}

async fn start_cluster(data_dir: &Path) -> Result<Cluster, Failure> {
    let base = data_dir.join("postgres");
    tokio::task::spawn_blocking(move || Cluster::ensure(&base, Durability::Full))
        .await
        .doing("starting PostgreSQL")?
        .doing("starting PostgreSQL")
}

/// Removes what an earlier demo left in its folder, and nothing else.
async fn throw_away(data_dir: &Path) -> Result<(), Failure> {
    let base = data_dir.join("postgres");
    if base.join("data").exists() {
        let cluster = start_cluster(data_dir).await?;
        tokio::task::spawn_blocking(move || cluster.stop())
            .await
            .doing("stopping PostgreSQL")?
            .doing("stopping PostgreSQL")?;
    }
    for folder in [base] {
        if folder.exists() {
            std::fs::remove_dir_all(&folder).doing(format_args!("removing {}", folder.display()))?;
        }
    }
    for file in [
        "postgres.lock",
        "master.key",
        "demo-sign-ins.json",
        "boston311.rejects.csv",
    ] {
        let file = data_dir.join(file);
        if file.exists() {
            std::fs::remove_file(&file).doing(format_args!("removing {}", file.display()))?;
        }
    }
    Ok(())
}

/// The folder itself may be passed through (the server runs as another account when we are root); the secrets in it
/// are readable by their owner only.
fn private_folder(folder: &Path) -> Result<(), Failure> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o711)
        .create(folder)
        .doing(format_args!("making {}", folder.display()))
}

fn write_private(file: &Path, text: &str) -> Result<(), Failure> {
    use std::io::Write;
    let mut options = std::fs::OpenOptions::new();
    let what = format!("writing {}", file.display());
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(file)
        .doing(&what)?;
    file.write_all(text.as_bytes()).doing(what)
}

fn master_key(data_dir: &Path) -> Result<PathBuf, Failure> {
    let file = data_dir.join("master.key");
    if !file.exists() {
        write_private(&file, &MasterKey::generate_hex().doing("making a master key")?)?;
    }
    Ok(file)
}

fn write_sign_ins(data_dir: &Path, sign_ins: &[SignIn]) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(sign_ins).doing("writing the sign-ins")?;
    write_private(&data_dir.join("demo-sign-ins.json"), &text)
}

fn announce(listen: SocketAddr, data_dir: &Path, sign_ins: &[SignIn]) {
    println!("\n  一次办 Onetrip is running. Ctrl-C stops it.\n");
    println!("  Residents     http://{listen}/");
    println!("  Staff         http://{listen}/staff");
    println!("  API           http://{listen}/api/docs");
    println!("  Metrics       http://{listen}/metrics");
    println!("  Data          {}\n", data_dir.display());
    println!("  {:<15} {:<16} {:<14} who", "sign-in", "password", "role");
    for sign_in in sign_ins {
        println!(
            "  {:<15} {:<16} {:<14} {}",
            sign_in.sign_in, sign_in.password, sign_in.role, sign_in.name
        );
    }
    println!();
}
