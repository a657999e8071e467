//! Counts beside a list mean what the pages say.

use crate::common::*;
use chrono::TimeDelta;
use onetrip_model::access::Actor;
use onetrip_read_models::queue::QueueFilter;

#[tokio::test]
async fn overdue_is_what_was_due_before_now_inside_what_the_filter_leaves() {
    let world = world().await;
    world.file(street_light("13800138000"), &key("1")).await.unwrap();
    world.settle_all().await;
    let actor = Actor::Service;
    let queue = async |filter: QueueFilter| world.queue(&actor, &filter, None, 10).await.unwrap();
    let due_at = queue(QueueFilter::default()).await.page.items[0]
        .entry
        .due_at
        .unwrap();
    world.set(due_at);
    assert_eq!(
        queue(QueueFilter::default()).await.overdue,
        0,
        "due now is not late"
    );
    world.set(due_at + TimeDelta::microseconds(1));
    assert_eq!(queue(QueueFilter::default()).await.overdue, 1);
    let earlier = QueueFilter {
        due_by: Some(due_at - TimeDelta::hours(1)),
        ..QueueFilter::default()
    };
    let listed = queue(earlier).await;
    assert_eq!(
        (listed.count, listed.overdue),
        (0, 0),
        "never more than are listed"
    );
}
