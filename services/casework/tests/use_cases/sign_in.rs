use crate::common::*;
use onetrip_casework::{CaseworkError, NewStaff};
use onetrip_model::access::Role;
use onetrip_testkit::{CADRE, DISTRICT, STREET, URBAN, staff};

const PASSWORD: &str = "correct horse battery staple";

async fn with_account(name: &str) -> World {
    let world = world().await;
    let account = NewStaff {
        id: onetrip_model::StaffId(uuid::Uuid::from_u128(77)),
        sign_in: name.to_owned(),
        name: "王伟".to_owned(),
        name_en: "Wang Wei".to_owned(),
        role: Role::HandlingUnit,
        area: STREET.into(),
        unit: Some(URBAN.into()),
        password: PASSWORD.to_owned(),
    };
    world.put_staff(account).await.unwrap();
    world
}

#[tokio::test]
async fn name_and_password_open_a_session_that_ends_with_signing_out() {
    let world = with_account("wang").await;
    let token = world.sign_in("wang", PASSWORD).await.unwrap();
    let signed_in = world.session(&token).await.unwrap().unwrap();
    assert_eq!(
        (signed_in.member.role, signed_in.member.unit),
        (Role::HandlingUnit, Some(URBAN.into()))
    );
    assert_eq!(world.session("another token").await.unwrap(), None);
    world.sign_out(&token).await.unwrap();
    assert_eq!(world.session(&token).await.unwrap(), None);
}

#[tokio::test]
async fn a_wrong_name_and_a_wrong_password_are_answered_alike() {
    let world = with_account("wang").await;
    let name = world.sign_in("nobody", PASSWORD).await;
    let password = world.sign_in("wang", "wrong").await;
    assert!(matches!(name, Err(CaseworkError::NotSignedIn)), "{name:?}");
    assert_eq!(format!("{name:?}"), format!("{password:?}"));
}

#[tokio::test]
async fn after_five_wrong_passwords_a_name_has_to_wait_also_with_the_right_one() {
    let world = with_account("wang").await;
    for name in ["wang", "nobody"] {
        for _ in 0..5 {
            assert!(matches!(
                world.sign_in(name, "wrong").await,
                Err(CaseworkError::NotSignedIn)
            ));
        }
        for password in ["wrong", PASSWORD] {
            let done = world.sign_in(name, password).await;
            assert!(
                matches!(
                    done,
                    Err(CaseworkError::TooManyTries {
                        retry_after_seconds: 1..
                    })
                ),
                "{name}: {done:?}"
            );
        }
    }
    assert!(matches!(
        world.sign_in("somebody else", "wrong").await,
        Err(CaseworkError::NotSignedIn)
    ));
}

#[tokio::test]
async fn the_right_password_is_not_counted() {
    let world = with_account("wang").await;
    for _ in 0..7 {
        world.sign_in("wang", PASSWORD).await.unwrap();
    }
}

/// Guesses sent all at once are guesses all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_wrong_passwords_at_once_five_are_looked_at() {
    let world = with_account("wang").await;
    let guesses: Vec<_> = (0..20)
        .map(|guess| {
            let world = world.clone();
            tokio::spawn(async move { world.sign_in("wang", &format!("guess {guess}")).await })
        })
        .collect();
    let mut looked_at = 0;
    for guess in guesses {
        match guess.await.unwrap() {
            Err(CaseworkError::NotSignedIn) => looked_at += 1,
            Err(CaseworkError::TooManyTries { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(looked_at, 5);
}

#[tokio::test]
async fn an_account_that_was_closed_is_nobody_at_once() {
    let world = with_account("wang").await;
    let token = world.sign_in("wang", PASSWORD).await.unwrap();
    sqlx::query("UPDATE staff SET active = false WHERE sign_in = 'wang'")
        .execute(world.pool())
        .await
        .unwrap();
    assert_eq!(world.session(&token).await.unwrap(), None);
    assert!(matches!(
        world.sign_in("wang", PASSWORD).await,
        Err(CaseworkError::NotSignedIn)
    ));
}

#[tokio::test]
async fn neither_token_nor_password_nor_name_tried_lies_in_the_database() {
    let world = with_account("wang").await;
    let token = world.sign_in("wang", PASSWORD).await.unwrap();
    let _ = world.sign_in("canary-name", "canary-password").await;
    for table in ["sessions", "guesses", "staff"] {
        let rows: String = sqlx::query_scalar(&format!(
            "SELECT coalesce(string_agg(t::text, ''), '') FROM {table} t"
        ))
        .fetch_one(world.pool())
        .await
        .unwrap();
        for secret in [token.as_str(), PASSWORD, "canary"] {
            assert!(!rows.contains(secret), "{table}");
        }
    }
}

#[tokio::test]
async fn a_contact_cadre_brings_their_contact_districts() {
    let world = world().await;
    assert_eq!(world.directory().contact_districts_of(CADRE), [DISTRICT.into()]);
    assert_eq!(staff(CADRE).contact_districts, [DISTRICT.into()]);
}
