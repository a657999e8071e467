use crate::{
    config::Config,
    database,
    failure::{Doing, Failure},
    health,
};
use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
};
use clap::{Args, ValueEnum};
use onetrip_casework::{Casework, one_request, system_clock};
use onetrip_http_kit::{CookiePolicy, HttpMetrics, assign_request_id, record_metrics};
use onetrip_portal::{HelpText, Portal};
use onetrip_worker::Worker;
use prometheus::Registry;
use std::{net::SocketAddr, time::Duration};
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// After a stop signal, requests under way have this long.
const DRAIN_PATIENCE: Duration = Duration::from_secs(20);

#[derive(Args)]
pub struct ServeArgs {
    /// What this process does
    #[arg(long, value_enum, default_value_t = Role::All)]
    pub role: Role,
    /// Where to listen, in the place of the setting
    #[arg(long)]
    pub listen: Option<SocketAddr>,
    /// Run outstanding migrations first
    #[arg(long)]
    pub migrate: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    /// Everything in one process
    All,
    /// The pages of residents and staff
    Portal,
    /// The JSON API
    Api,
    /// Read models and clocks; listens for health and metrics only
    Worker,
}

pub async fn serve(config: &Config, args: ServeArgs) -> Result<(), Failure> {
    let pool = database::connect_to_serve(config).await?;
    if args.migrate {
        database::migrate(&pool).await?;
    }
    let registry = Registry::new();
    let casework = database::casework(config, pool, system_clock(), &registry).await?;
    let listen = args.listen.unwrap_or(config.listen);
    run(
        config,
        casework,
        registry,
        args.role,
        listen,
        stop_signal(),
        || {},
    )
    .await
}

/// Serves until `stop` resolves; `ready` is called once requests are answered.
pub async fn run(
    config: &Config,
    casework: Casework,
    registry: Registry,
    role: Role,
    listen: SocketAddr,
    stop: impl Future<Output = ()> + Send + 'static,
    ready: impl FnOnce(),
) -> Result<(), Failure> {
    let book = casework.adopt_rules().await.doing("adopting the rules")?;
    tracing::info!(
        rules = casework.rules().name(),
        adoptions = book.adoptions().len(),
        "rules in force"
    );
    let cookies = CookiePolicy {
        secure: config.secure_cookies,
    };
    let http_metrics = HttpMetrics::new(&registry).doing("registering metrics")?;
    let patience = Duration::from_secs(config.request_seconds_max);
    let mut router = Router::new();
    if matches!(role, Role::All | Role::Portal) {
        router = router.merge(portal(config, &casework, cookies, patience, http_metrics.clone()));
    }
    if matches!(role, Role::All | Role::Api) {
        router = router.merge(api(&casework, patience, http_metrics));
    }
    let router = router.layer(middleware::from_fn(async |request: Request, next: Next| {
        one_request(next.run(request)).await
    }));
    let health = health::router(casework.clone(), registry.clone()).doing("registering metrics")?;
    let router = router.merge(health);

    let stopping = CancellationToken::new();
    let worker = if matches!(role, Role::All | Role::Worker) {
        let patience = Duration::from_secs(config.horizon_idle_seconds_max);
        let worker = Worker::new(casework, config.sealing(), &registry)
            .doing("registering metrics")?
            .guarding_horizon((!patience.is_zero()).then_some(patience));
        worker.prepare().await.doing("preparing the read models")?;
        Some(tokio::spawn(worker.run(stopping.clone())))
    } else {
        None
    };

    let listener = TcpListener::bind(listen)
        .await
        .doing(format_args!("listening on {listen}"))?;
    tracing::info!(%listen, role = ?role, "serving");
    ready();
    let draining = stopping.clone();
    let signal = async move {
        stop.await;
        draining.cancel();
    };
    let serving = axum::serve(listener, router).with_graceful_shutdown(signal);
    let late = async {
        stopping.cancelled().await;
        tokio::time::sleep(DRAIN_PATIENCE).await;
    };
    let serving = async {
        tokio::select! {
            served = serving => served.doing("serving"),
            () = late => {
                tracing::warn!("some requests did not end in time and were cut off");
                Ok(())
            }
        }
    };
    let working = async {
        match worker {
            Some(worker) => watch(worker, &stopping).await,
            None => Ok(()),
        }
    };
    tokio::try_join!(serving, working)?;
    tracing::info!("stopped");
    Ok(())
}

/// Fails as soon as the worker ends without having been told to: pages without read models and clocks look alive and
/// are not.
async fn watch(worker: JoinHandle<()>, stopping: &CancellationToken) -> Result<(), Failure> {
    worker.await.doing("running the worker")?;
    if stopping.is_cancelled() {
        Ok(())
    } else {
        Err("it ended by itself").doing("running the worker")
    }
}

fn portal(
    config: &Config,
    casework: &Casework,
    cookies: CookiePolicy,
    patience: Duration,
    metrics: HttpMetrics,
) -> Router {
    let help = HelpText {
        phone: config.help_phone.clone(),
        counter: config.help_counter.clone(),
        counter_en: config.help_counter_en.clone(),
    };
    onetrip_portal::router(
        Portal {
            casework: casework.clone(),
            cookies,
            help,
            patience,
        },
        metrics,
    )
}

fn api(casework: &Casework, patience: Duration, metrics: HttpMetrics) -> Router {
    onetrip_api::router(casework.clone(), patience)
        .layer(middleware::from_fn_with_state(metrics, record_metrics))
        .layer(middleware::from_fn(assign_request_id))
}

/// Ctrl-C or a polite kill.
pub async fn stop_signal() {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupt = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
        }
        Err(error) => {
            tracing::warn!(%error, "only Ctrl-C stops this process");
            let _ = interrupt.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_worker_that_ends_unasked_ends_the_service_with_a_failure() {
        let stopping = CancellationToken::new();
        let panics = tokio::spawn(async { panic!("on purpose") });
        let failure = watch(panics, &stopping).await.unwrap_err().to_string();
        assert!(failure.starts_with("running the worker: "), "{failure}");
        let leaves = tokio::spawn(async {});
        assert!(watch(leaves, &stopping).await.is_err());
        stopping.cancel();
        let told = tokio::spawn(async {});
        assert!(watch(told, &stopping).await.is_ok());
    }
}
