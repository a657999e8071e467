//! The private cluster that a measurement has for itself.

use crate::Failure;
use onetrip_cluster::{Cluster, Durability};
use std::path::Path;

/// Makes a cluster in `folder`, measures on it, and stops and removes it, whatever came of the measuring; with `keep` it is
/// only stopped.
pub async fn on_cluster<T>(
    folder: &Path,
    durability: Durability,
    keep: bool,
    measure: impl AsyncFnOnce(&Cluster) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let base = folder.to_owned();
    let cluster = tokio::task::spawn_blocking(move || Cluster::ensure(&base, durability)).await??;
    let outcome = measure(&cluster).await;
    if keep {
        println!("the server's log: {}", cluster.log().display());
    }
    tokio::task::spawn_blocking(move || cluster.stop()).await??;
    if !keep {
        std::fs::remove_dir_all(folder)?;
    }
    outcome
}
