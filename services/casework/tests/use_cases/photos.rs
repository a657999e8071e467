//! Photos: without their metadata, sealed, moved into the case with it, and only by who handed them in.

use crate::common::*;
use image::{DynamicImage, ImageFormat};
use onetrip_casework::{
    ActInput, CaseworkError, Fault, FieldFault, MaterialInput, NewCase, PAPERS_MAX, PhotoFault,
};
use onetrip_model::{CaseFact, access::Actor, case::PlaceEvidence};
use onetrip_testkit::{CLERK, HANDLER, SAFETY_HANDLER};
use std::io::Cursor;
use uuid::Uuid;

/// A picture with an Exif segment that tells where it was taken.
pub fn jpeg() -> Vec<u8> {
    let mut plain = Cursor::new(Vec::new());
    DynamicImage::new_rgb8(32, 24)
        .write_to(&mut plain, ImageFormat::Jpeg)
        .unwrap();
    let plain = plain.into_inner();
    let segment = b"Exif\0\0MM\0*\0\0\0\x08\0\0GPS-22.54-114.05";
    let length = u16::try_from(segment.len() + 2).unwrap().to_be_bytes();
    [&plain[..2], &[0xFF, 0xE1], &length, segment, &plain[2..]].concat()
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

async fn with_photo(world: &World) -> (NewCase, Uuid) {
    let id = world.take_photo(VISITOR, jpeg()).await.unwrap().id;
    (
        NewCase {
            photos: vec![id],
            ..street_light("13800138000")
        },
        id,
    )
}

#[tokio::test]
async fn a_photo_comes_into_the_case_without_its_metadata_and_leaves_the_waiting_room() {
    let world = world().await;
    let (new, id) = with_photo(&world).await;
    assert!(contains(&jpeg(), b"GPS"));
    assert_eq!(world.uploads(VISITOR).await.unwrap().len(), 1);
    let submitted = world.file(new, &key("1")).await.unwrap();
    assert_eq!(world.count("uploads").await, 0);
    world.settle_all().await;
    let photo = world
        .photo(&staff_actor(CLERK), &submitted.number, id)
        .await
        .unwrap();
    assert_eq!(photo.media_type, "image/jpeg");
    assert!(!contains(&photo.bytes, b"Exif") && !contains(&photo.bytes, b"GPS"));
    image::load_from_memory(&photo.bytes).expect("it is still a picture");

    let sealed: Vec<u8> = sqlx::query_scalar("SELECT sealed FROM attachments")
        .fetch_one(world.pool())
        .await
        .unwrap();
    assert!(image::load_from_memory(&sealed).is_err() && !contains(&sealed, b"JFIF"));
}

#[tokio::test]
async fn a_photo_of_a_case_is_seen_by_who_sees_the_case() {
    let world = world().await;
    let (new, id) = with_photo(&world).await;
    let submitted = world.file(new, &key("1")).await.unwrap();
    let other = world.file(street_light("13800138001"), &key("2")).await.unwrap();
    world.settle_all().await;
    let resident = world.resident_of(&submitted).await;
    world.photo(&resident, &submitted.number, id).await.unwrap();
    for actor in [world.resident_of(&other).await, staff_actor(SAFETY_HANDLER)] {
        let refused = world.photo(&actor, &submitted.number, id).await;
        assert!(matches!(refused, Err(CaseworkError::NotFound)), "{refused:?}");
    }
    let visitor = world.photo(&Actor::Visitor, &submitted.number, id).await;
    assert!(matches!(visitor, Err(CaseworkError::NotSignedIn)), "{visitor:?}");
    let of_another = world.photo(&staff_actor(CLERK), &other.number, id).await;
    assert!(
        matches!(of_another, Err(CaseworkError::NotFound)),
        "only as a photo of its own case"
    );
}

#[tokio::test]
async fn somebody_elses_upload_is_not_found_and_nothing_is_filed() {
    let world = world().await;
    let foreign = world.take_photo("visitor:2", jpeg()).await.unwrap().id;
    for id in [foreign, Uuid::from_u128(404)] {
        let done = world
            .file(
                NewCase {
                    photos: vec![id],
                    ..street_light("13800138000")
                },
                &key("1"),
            )
            .await;
        assert!(matches!(done, Err(CaseworkError::NotFound)), "{done:?}");
        assert!(matches!(
            world.upload(VISITOR, id).await,
            Err(CaseworkError::NotFound)
        ));
    }
    world.drop_upload(VISITOR, foreign).await.unwrap();
    assert_eq!((world.events().await.len(), world.count("uploads").await), (0, 1));
}

#[tokio::test]
async fn a_refused_act_leaves_the_photo_waiting() {
    let world = world().await;
    let submitted = world.file(street_light("13800138000"), &key("1")).await.unwrap();
    let id = world.take_photo(VISITOR, jpeg()).await.unwrap().id;
    let give = ActInput::GiveResult {
        words: "修好".to_owned(),
        photos: Vec::new(),
        after_photo: Some(id),
        why_no_photo: None,
        promise: None,
    };
    let done = world.do_act(&staff_actor(CLERK), &submitted.number, give).await;
    assert!(matches!(done, Err(CaseworkError::Refused(_))), "{done:?}");
    assert_eq!(
        (world.count("uploads").await, world.count("attachments").await),
        (1, 0)
    );
}

#[tokio::test]
async fn a_request_for_papers_is_answered_with_a_photo_of_each() {
    let world = world().await;
    let kinds = world.rules().policy.materials.iter();
    let kinds: Vec<String> = kinds.map(|kind| kind.id.clone()).collect();
    assert!(kinds.len() > 4 && kinds.len() <= PAPERS_MAX);
    let submitted = world.handled("13800138000").await;
    let items = kinds.iter().map(|kind| MaterialInput {
        kind: kind.clone(),
        words: Some("正面".to_owned()),
    });
    let ask = ActInput::RequestMaterials {
        items: items.collect(),
    };
    world
        .do_act(&staff_actor(HANDLER), &submitted.number, ask)
        .await
        .unwrap();
    let resident = world.resident_of(&submitted).await;
    let answer = |photos| ActInput::AnswerRequest {
        handed_over: kinds.clone(),
        words: String::new(),
        photos,
    };
    let too_many = |max| {
        vec![FieldFault {
            field: "photos",
            fault: Fault::TooMany { max },
        }]
    };
    let ids = |count: usize| (0..count).map(|n| Uuid::from_u128(n as u128)).collect::<Vec<_>>();
    let refused = world
        .do_act(&resident, &submitted.number, answer(ids(PAPERS_MAX + 1)))
        .await;
    assert!(
        matches!(&refused, Err(CaseworkError::Invalid(faults)) if *faults == too_many(PAPERS_MAX)),
        "{refused:?}"
    );
    let supplement = ActInput::AddSupplement {
        words: "还有".to_owned(),
        photos: ids(5),
    };
    let refused = world.do_act(&resident, &submitted.number, supplement).await;
    assert!(
        matches!(&refused, Err(CaseworkError::Invalid(faults)) if *faults == too_many(4)),
        "{refused:?}"
    );
    let mut photos = Vec::new();
    for _ in &kinds {
        photos.push(world.take_photo(VISITOR, jpeg()).await.unwrap().id);
    }
    world
        .do_act(&resident, &submitted.number, answer(photos))
        .await
        .unwrap();
    assert_eq!(world.count("attachments").await, kinds.len() as i64);
}

#[tokio::test]
async fn the_after_photo_is_told_from_the_other_evidence() {
    let world = world().await;
    let submitted = world.handled("13800138000").await;
    let evidence = world.take_photo(VISITOR, jpeg()).await.unwrap().id;
    let after = world.take_photo(VISITOR, jpeg()).await.unwrap().id;
    let give = |photos, after_photo| ActInput::GiveResult {
        words: "修好".to_owned(),
        photos,
        after_photo,
        why_no_photo: None,
        promise: None,
    };
    world
        .do_act(
            &staff_actor(HANDLER),
            &submitted.number,
            give(vec![evidence], Some(after)),
        )
        .await
        .unwrap();
    world.settle_all().await;
    let view = world.case(&Actor::Service, &submitted.number).await.unwrap();
    let CaseFact::ResultGiven {
        evidence: given,
        place_evidence,
        ..
    } = &view.happenings[3].fact
    else {
        panic!()
    };
    assert_eq!(given.iter().map(|photo| photo.id).collect::<Vec<_>>(), [evidence]);
    assert!(matches!(place_evidence, PlaceEvidence::AfterPhoto(photo) if photo.id == after));
}

/// A browser that lists the after-photo among the other photos as well.
#[tokio::test]
async fn a_photo_named_twice_is_one_photo() {
    let world = world().await;
    let submitted = world.handled("13800138000").await;
    let id = world.take_photo(VISITOR, jpeg()).await.unwrap().id;
    let give = ActInput::GiveResult {
        words: "修好".to_owned(),
        photos: vec![id],
        after_photo: Some(id),
        why_no_photo: None,
        promise: None,
    };
    world
        .do_act(&staff_actor(HANDLER), &submitted.number, give)
        .await
        .unwrap();
    assert_eq!(world.count("attachments").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_photo_used_in_two_filings_at_once_comes_into_one_case() {
    let world = world().await;
    for round in 0..20 {
        let id = world.take_photo(VISITOR, jpeg()).await.unwrap().id;
        let file = |client: u8| {
            let world = world.clone();
            let new = NewCase {
                photos: vec![id],
                ..street_light(&format!("13{client}{round:08}"))
            };
            tokio::spawn(async move { world.file(new, &key(&format!("{round} {client}"))).await })
        };
        let (one, other) = (file(1), file(2));
        let (one, other) = (one.await.unwrap(), other.await.unwrap());
        let (filed, refused) = if one.is_ok() { (one, other) } else { (other, one) };
        assert!(filed.is_ok(), "round {round}: {filed:?} {refused:?}");
        assert!(
            matches!(refused, Err(CaseworkError::NotFound)),
            "round {round}: {refused:?}"
        );
    }
    assert_eq!(
        (world.count("attachments").await, world.events().await.len()),
        (20, 20)
    );
}

#[tokio::test]
async fn twenty_photos_may_wait_and_no_more() {
    let world = world().await;
    for _ in 0..20 {
        world.take_photo(VISITOR, jpeg()).await.unwrap();
    }
    let one_more = world.take_photo(VISITOR, jpeg()).await;
    assert!(
        matches!(one_more, Err(CaseworkError::Photo(PhotoFault::TooMany))),
        "{one_more:?}"
    );
    world
        .take_photo("visitor:2", jpeg())
        .await
        .expect("another visitor's are counted for them");
}
