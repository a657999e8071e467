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
    let mut snapshot = world.pool().begin().await.unwrap();
    sqlx::query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        .execute(&mut *snapshot)
        .await
        .unwrap();
    let events = onetrip_event_log::count(&mut snapshot).await.unwrap();
    let (requests, cases, matters, photos) = sqlx::query_as(
        "SELECT (SELECT count(*) FROM requests), (SELECT count(*) FROM run_once_cases),
                (SELECT count(*) FROM run_once_matters), (SELECT count(*) FROM attachments)",
    )
    .fetch_one(&mut *snapshot)
    .await
    .unwrap();
    [events, requests, cases, matters, photos]
}

#[tokio::test]
async fn a_filing_cut_off_at_any_point_leaves_nothing_or_a_whole_case() {
    let world = world().await;
    let photo = crate::photos::jpeg();
    // How often a filing is polled until it is done depends on what the machine does beside it: some get through.
    let mut cut = 0;
    for polls in 0..30 {
        let upload = world.take_photo(VISITOR, photo.clone()).await.unwrap();
        let new = NewCase {
            photos: vec![upload.id],
            ..street_light(&format!("139{polls:08}"))
        };
        let request = key(&polls.to_string());
        cut += u32::from(cut_off(world.file(new.clone(), &request), polls).await.is_none());

        let cases = i64::try_from(polls).unwrap();
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
        assert_eq!(parts(&world).await, [cases + 1; 5], "after {polls} polls");
        assert_eq!(world.count("uploads").await, 0);
    }
    assert!(cut >= 2, "it was cut off in {cut} places");
}

#[tokio::test]
async fn an_act_cut_off_at_any_point_happens_once_or_not_at_all() {
    let world = world().await;
    let mut cut = 0;
    for (polls, number) in world.many_handled(30).await.iter().enumerate() {
        let request = key(number.digits());
        let actor = staff_actor(onetrip_testkit::HANDLER);
        let channel = onetrip_model::Channel::Staff;
        let act = || world.act(&actor, number, trip(), channel, "staff", None, Some(&request));
        cut += u32::from(cut_off(act(), polls).await.is_none());
        let done = act()
            .await
            .unwrap_or_else(|error| panic!("after {polls} polls: {error}"));
        assert_eq!(done.version, 4);
        let trips = world.count_events("TripAsked").await;
        assert_eq!(trips, polls + 1, "after {polls} polls");
    }
    assert!(cut >= 2, "it was cut off in {cut} places");
}
