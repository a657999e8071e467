use crate::note::KeyFault;

#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// What is stored of the tree contradicts itself or the log: `onetrip verify` says where.
    #[error("the sealed tree is not in order ({0}); run `onetrip verify`")]
    Broken(String),
    #[error("the log's heads are signed for {signed}, and evidence_origin says {set}")]
    OtherOrigin { signed: String, set: String },
    #[error("{0}")]
    Key(#[from] KeyFault),
    #[error("metrics: {0}")]
    Metrics(#[from] prometheus::Error),
}
