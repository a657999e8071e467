use onetrip_casework::{ActInput, Casework, CaseworkError};
use onetrip_model::{Channel, access::Actor};
use onetrip_read_models::queue::QueueFilter;

/// Whose uploads the service's own acts use: none.
const OWNER: &str = "service";

/// Acts on cases whose time has come: silence on a request is recorded, an unrated result is closed. Each act is
/// decided by the case itself, so doing it twice, or on several workers at once, has one effect.
pub(crate) async fn tick(casework: &Casework) -> Result<(), CaseworkError> {
    for (stage, act) in [
        ("awaiting_resident", ActInput::RecordSilence {}),
        ("result_given", ActInput::CloseUnrated {}),
    ] {
        let filter = QueueFilter {
            stage: Some(stage.to_owned()),
            due_by: Some(casework.now()),
            ..QueueFilter::default()
        };
        let mut after = None;
        loop {
            let due = casework
                .queue(&Actor::Service, &filter, after, i64::MAX)
                .await?
                .page;
            for item in due.items {
                let (number, act) = (&item.number, act.clone());
                match casework
                    .act(&Actor::Service, number, act, Channel::Service, OWNER, None, None)
                    .await
                {
                    Ok(_) | Err(CaseworkError::Refused(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            match due.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    Ok(())
}
