//! What proves that a case was taken in and that the log is whole: receipts, signed heads and the key.

use crate::{
    Api,
    caller::Caller,
    extract::{Number, Params, bad_query, limit},
    problem::Failure,
    values::{Always, Forbidden, NotFound, ProofNeeded},
};
use axum::{Json, extract::State};
use onetrip_casework::StoredHead;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// The largest integer that every reader of JSON takes for what it is.
const SIZE_MAX: u64 = (1 << 53) - 1;

/// Checked offline with the public key alone; the form is in `ops/docs/EVIDENCE.md`.
#[derive(Serialize, ToSchema)]
pub(crate) struct Receipt {
    #[schema(pattern = "^onetrip-receipt/1$")]
    format: String,
    event: ReceiptEvent,
    /// Base64 of the hash in the sealed tree.
    leaf: String,
    /// Null as long as no signed head covers the event: fetch it again in a minute.
    proof: Option<Proof>,
    /// The verifier key of the log, to be compared with the one of `/evidence/key`.
    key: String,
}

/// The event as it is stored; private parts are sealed.
#[derive(Serialize, ToSchema)]
struct ReceiptEvent {
    aggregate_type: String,
    aggregate_id: String,
    sequence: i64,
    event_type: String,
    event_version: String,
    /// JSON, as text: it is hashed byte for byte.
    payload: String,
    /// JSON, as text: it is hashed byte for byte.
    metadata: String,
    transaction_id: i64,
    position: i64,
    /// With microseconds.
    recorded_at: String,
    /// Base64 of the hash of the event before it; null where there is no chain.
    predecessor: Option<String>,
    /// Base64 of its own hash; null where there is no chain.
    hash: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Proof {
    /// Place of the event in the log, from 0.
    index: u64,
    /// Base64 of the hashes from the leaf up to the root.
    path: Vec<String>,
    /// The signed head.
    head: String,
}

impl From<onetrip_casework::Receipt> for Receipt {
    fn from(receipt: onetrip_casework::Receipt) -> Self {
        let event = receipt.event;
        Receipt {
            format: receipt.format,
            leaf: receipt.leaf,
            key: receipt.key,
            proof: receipt.proof.map(|proof| Proof {
                index: proof.index,
                path: proof.path,
                head: proof.head,
            }),
            event: ReceiptEvent {
                aggregate_type: event.aggregate_type,
                aggregate_id: event.aggregate_id,
                sequence: event.sequence,
                event_type: event.event_type,
                event_version: event.event_version,
                payload: event.payload,
                metadata: event.metadata,
                transaction_id: event.transaction_id,
                position: event.position,
                recorded_at: event.recorded_at,
                predecessor: event.predecessor,
                hash: event.hash,
            },
        }
    }
}

/// The receipt of a case
///
/// Proves that the case was filed and when it was recorded. For its resident with the secret, and for staff who may
/// know who the resident is.
#[utoipa::path(
    get, path = "/api/v1/cases/{number}/receipt", tag = "evidence", security(("bearer" = []), ("secret" = [])),
    params(("number" = String, Path, description = "Twelve digits, with or without dashes.",
            pattern = r"^\d{4}-?\d{4}-?\d{4}$", example = "8271-5590-3313")),
    responses(
        (status = 200, description = "The receipt; without a proof until a head has been signed over it.", body = Receipt),
        Always, ProofNeeded, Forbidden, NotFound,
    ),
)]
pub(crate) async fn receipt(
    State(api): State<Api>,
    caller: Caller,
    Number(number): Number,
) -> Result<Json<Receipt>, Failure> {
    let actor = caller.actor_for(&api, &number).await?;
    Ok(Json(api.casework.receipt(&actor, &number).await?.into()))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// Only heads of a smaller size than this: the smallest of the page before.
    #[param(minimum = 1, maximum = 9007199254740991_u64)]
    before: Option<u64>,
    /// Heads of a page; 25 if left out.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<u32>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Heads {
    /// Newest first.
    heads: Vec<SignedHead>,
}

#[derive(Serialize, ToSchema)]
struct SignedHead {
    /// How many events it covers.
    size: u64,
    /// The signed note.
    note: String,
}

impl From<StoredHead> for SignedHead {
    fn from(head: StoredHead) -> Self {
        SignedHead {
            size: head.size,
            note: head.note,
        }
    }
}

/// Signed heads of the log
///
/// For everybody: whoever keeps one can show later whether the log was changed. The form is in `ops/docs/EVIDENCE.md`.
#[utoipa::path(
    get, path = "/evidence/heads", tag = "evidence", security(()), params(Paging),
    responses((status = 200, description = "The newest heads.", body = Heads), Always),
)]
pub(crate) async fn heads(
    State(api): State<Api>,
    Params(paging): Params<Paging>,
) -> Result<Json<Heads>, Failure> {
    let limit = limit(paging.limit)?;
    let before = match paging.before {
        Some(size) if !(1..=SIZE_MAX).contains(&size) => {
            return Err(bad_query().detail("before: the size of a head"));
        }
        before => before,
    };
    let heads = api.casework.heads(before, limit.into()).await?;
    Ok(Json(Heads {
        heads: heads.into_iter().map(SignedHead::from).collect(),
    }))
}

/// The key with which heads and receipts are checked
///
/// A verifier key of a signed note: the name of the log, the id of the key, and the Ed25519 public key.
#[utoipa::path(
    get, path = "/evidence/key", tag = "evidence", security(()),
    responses((status = 200, description = "The key and a line break.", body = String, content_type = "text/plain"), Always),
)]
pub(crate) async fn key(State(api): State<Api>) -> String {
    format!("{}\n", api.casework.verifier_key())
}
