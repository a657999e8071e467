//! Settings: environment variables `ONETRIP_…` over an optional TOML file; every fault names its key.

use crate::failure::Failure;
use figment::{
    Figment,
    providers::{Env, Format, Serialized, Toml},
};
use onetrip_event_log::{MasterKey, Vault};
use onetrip_evidence::{Signer, Witness};
use onetrip_model::policy::{Rules, RulesError};
use onetrip_worker::Sealing;
use serde::{Deserialize, Serialize};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// The first policy and calendar, used where no file is named.
const POLICY: &str = include_str!("../../../ops/policy/2026-1.toml");
const CALENDAR: &str = include_str!("../../../ops/data/cn-calendar.csv");

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// PostgreSQL, as a URL. `DATABASE_URL` stands in where it is not set.
    pub database_url: Option<String>,
    /// Connections this process may hold.
    pub database_connections: u32,
    /// File with the master key: 64 hexadecimal digits. Kept apart from the database and its backups.
    pub master_key_file: Option<PathBuf>,
    /// Policy and calendar files in the place of the built-in first versions.
    pub policy_file: Option<PathBuf>,
    pub calendar_file: Option<PathBuf>,
    /// Served over https: cookies are sent over https only.
    pub secure_cookies: bool,
    /// `text` or `json`.
    pub log_format: LogFormat,
    /// Phone number and counter shown on every page.
    pub help_phone: String,
    pub help_counter: String,
    pub help_counter_en: String,
    /// Longest time a request may take, in seconds.
    pub request_seconds_max: u64,
    /// Name of the log in its signed heads, as a domain and a path: `city.example/onetrip`. Chosen once, before the first
    /// event: heads under another name are another log's.
    pub evidence_origin: String,
    /// A signed head is made at most every so many seconds.
    pub evidence_seconds: u64,
    /// Folder where each head is put as a file of its own: best a disk that this machine can write to and nothing else.
    pub witness_folder: Option<PathBuf>,
    /// Addresses to which each head is posted.
    pub witness_urls: Vec<String>,
    /// Sessions of anybody in the same PostgreSQL server that have written something and then been idle in their
    /// transaction for longer than this many seconds are ended: they keep every read model standing still. 0 ends none.
    pub horizon_idle_seconds_max: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    Json,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            database_url: None,
            database_connections: 20,
            master_key_file: None,
            policy_file: None,
            calendar_file: None,
            secure_cookies: false,
            log_format: LogFormat::Text,
            help_phone: "0755-12345".to_owned(),
            help_counter: "各街道诉求服务中心".to_owned(),
            help_counter_en: "The service centre of any street".to_owned(),
            request_seconds_max: 30,
            evidence_origin: onetrip_casework::DEFAULT_ORIGIN.to_owned(),
            evidence_seconds: 10,
            witness_folder: None,
            witness_urls: Vec::new(),
            horizon_idle_seconds_max: 5,
        }
    }
}

impl Config {
    /// Reads the file, then the environment, and checks what can be checked without a database.
    pub fn load(file: Option<&Path>) -> Result<Config, Failure> {
        let mut figment = Figment::from(Serialized::defaults(Config::default()));
        if let Some(file) = file {
            if !file.is_file() {
                return Err(Failure::setting(
                    "--config",
                    format!("{} is not there", file.display()),
                ));
            }
            figment = figment.merge(Toml::file_exact(file));
        }
        let keys = Config::keys();
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let environment = Env::prefixed("ONETRIP_").only(&keys);
        let mut config: Config = figment.merge(environment).extract().map_err(|error| {
            let key = error.path.join(".");
            Failure::setting(
                if key.is_empty() { "configuration" } else { &key },
                error.to_string(),
            )
        })?;
        if config.database_url.is_none() {
            config.database_url = std::env::var("DATABASE_URL").ok();
        }
        if config.database_connections < 4 {
            return Err(Failure::setting(
                "database_connections",
                "at least 4 are needed".to_owned(),
            ));
        }
        if config.request_seconds_max == 0 {
            return Err(Failure::setting(
                "request_seconds_max",
                "must be at least 1".to_owned(),
            ));
        }
        config.check_evidence()?;
        Ok(config)
    }

    fn check_evidence(&self) -> Result<(), Failure> {
        if !(1..=3600).contains(&self.evidence_seconds) {
            return Err(Failure::setting(
                "evidence_seconds",
                "must be from 1 to 3600".to_owned(),
            ));
        }
        Signer::from_seed(&[1; 32], &self.evidence_origin)
            .map_err(|error| Failure::setting("evidence_origin", error.to_string()))?;
        if let Some(folder) = self.witness_folder.as_ref().filter(|folder| !folder.is_dir()) {
            return Err(Failure::setting(
                "witness_folder",
                format!("{} is no folder; make it first", folder.display()),
            ));
        }
        for url in &self.witness_urls {
            if !url.starts_with("https://") && !url.starts_with("http://") {
                return Err(Failure::setting(
                    "witness_urls",
                    format!("{url} does not begin with https:// or http://"),
                ));
            }
        }
        Ok(())
    }

    /// How the log is sealed.
    pub fn sealing(&self) -> Sealing {
        let folder = self.witness_folder.iter().cloned().map(Witness::Folder);
        let urls = self.witness_urls.iter().cloned().map(Witness::Http);
        Sealing {
            head_every: Duration::from_secs(self.evidence_seconds),
            witnesses: folder.chain(urls).collect(),
        }
    }

    /// Names of all settings: other variables that start alike belong to the scripts around us.
    fn keys() -> Vec<String> {
        match serde_json::to_value(Config::default()) {
            Ok(serde_json::Value::Object(fields)) => fields.keys().cloned().collect(),
            _ => Vec::new(),
        }
    }

    pub fn database_url(&self) -> Result<&str, Failure> {
        self.database_url.as_deref().ok_or_else(|| {
            Failure::setting(
                "database_url",
                "not set; set it or DATABASE_URL, or use `onetrip demo`".to_owned(),
            )
        })
    }

    pub fn vault(&self) -> Result<Vault, Failure> {
        let file = self.master_key_file.as_ref().ok_or_else(|| {
            Failure::setting(
                "master_key_file",
                "not set; make a key with `onetrip generate-key > FILE`".to_owned(),
            )
        })?;
        let text = std::fs::read_to_string(file)
            .map_err(|error| Failure::setting("master_key_file", format!("{}: {error}", file.display())))?;
        let key = MasterKey::from_hex(&text)
            .map_err(|error| Failure::setting("master_key_file", error.to_string()))?;
        Ok(Vault::new(&key))
    }

    pub fn rules(&self) -> Result<Arc<Rules>, Failure> {
        self.rules_with(&read_or("policy_file", self.policy_file.as_deref(), POLICY)?)
    }

    /// Another policy beside the calendar of the settings.
    pub fn rules_with(&self, policy: &str) -> Result<Arc<Rules>, Failure> {
        let calendar = read_or("calendar_file", self.calendar_file.as_deref(), CALENDAR)?;
        Rules::read(policy, &calendar).map(Arc::new).map_err(|error| {
            let key = match error {
                RulesError::Text(_) | RulesError::Policy(_) => "policy_file",
                RulesError::Calendar(_) => "calendar_file",
            };
            Failure::setting(key, error.to_string())
        })
    }
}

fn read_or(key: &str, file: Option<&Path>, builtin: &str) -> Result<String, Failure> {
    match file {
        None => Ok(builtin.to_owned()),
        Some(file) => std::fs::read_to_string(file)
            .map_err(|error| Failure::setting(key, format!("{}: {error}", file.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_rules_are_in_order() {
        Config::default().rules().unwrap();
    }

    #[test]
    fn a_faulty_setting_is_named() {
        let file = std::env::temp_dir().join(format!("onetrip-config-{}.toml", std::process::id()));
        std::fs::write(&file, "database_connections = \"many\"\n").unwrap();
        let failure = Config::load(Some(&file)).unwrap_err().to_string();
        std::fs::write(&file, "databse_url = \"x\"\n").unwrap();
        let misspelt = Config::load(Some(&file)).unwrap_err().to_string();
        std::fs::remove_file(&file).unwrap();
        assert!(failure.contains("database_connections"), "{failure}");
        assert!(misspelt.contains("databse_url"), "{misspelt}");
    }
}
