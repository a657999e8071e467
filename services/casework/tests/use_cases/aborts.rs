//! A filing that is cut off at any point leaves nothing or a whole case, and its retry one number.

use crate::common::*;
use onetrip_casework::NewCase;
use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

/// Polls `future` at most `polls` times, and drops it where it then is.
async fn cut_off<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

/// Counts of everything that a case with one photo consists of, in one snapshot.
async fn parts(world: &World) -> [i64; 5] {
    let row: (i64, i64, i64, i64, i64) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM events), (SELECT count(*) FROM requests), (SELECT count(*) FROM run_once_cases),
                (SELECT count(*) FROM run_once_matters), (SELECT count(*) FROM attachments)",
    )
    .fetch_one(world.pool())
    .await
    .unwrap();
    row.into()
}

#[tokio::test]
async fn a_filing_cut_off_at_any_point_leaves_nothing_or_a_whole_case() {
    let world = world().await;
    let photo = crate::photos::jpeg();
    let mut finished = false;
    let mut cases = 0;
    for polls in 0.. {
        let upload = world.take_photo(VISITOR, photo.clone()).await.unwrap();
        let new = NewCase {
            photos: vec![upload.id],
            ..street_light(&format!("139{polls:08}"))
        };
        let request = key(&polls.to_string());
        finished = finished || cut_off(world.file(new.clone(), &request), polls).await.is_some();

        let now = parts(&world).await;
        assert!(
            now.iter().all(|part| *part == now[0]),
            "after {polls} polls: {now:?}"
        );
        assert!(
            (cases..=cases + 1).contains(&now[0]),
            "after {polls} polls: {now:?}"
        );

        // The browser sends it again, twice.
        let again = world.file(new.clone(), &request).await.unwrap();
        assert_eq!(
            world.file(new, &request).await.unwrap(),
            again,
            "after {polls} polls"
        );
        assert!(!again.joined, "its own first try is no other filing");
        cases += 1;
        assert_eq!(parts(&world).await, [cases; 5], "after {polls} polls");
        assert_eq!(world.count("uploads").await, 0);
        if finished {
            assert!(polls > 10, "it was cut off in many places");
            return;
        }
    }
}

#[tokio::test]
async fn an_act_cut_off_at_any_point_happens_once_or_not_at_all() {
    let world = world().await;
    let numbers = world.many_handled(200).await;
    for (polls, number) in numbers.iter().enumerate() {
        let request = key(number.digits());
        let actor = staff_actor(onetrip_testkit::HANDLER);
        let act = || {
            world.act(
                &actor,
                number,
                trip(),
                onetrip_model::Channel::Staff,
                "staff",
                None,
                Some(&request),
            )
        };
        let done = cut_off(act(), polls).await;
        act()
            .await
            .unwrap_or_else(|error| panic!("after {polls} polls: {error}"));
        let trips = world.count("events WHERE event_type = 'TripAsked'").await;
        assert_eq!(trips, i64::try_from(polls).unwrap() + 1, "after {polls} polls");
        if done.is_some() {
            return;
        }
    }
    panic!("an act takes more than {} polls", numbers.len());
}
