//! Photos: taken in, decoded and encoded anew (which leaves every metadata tag behind), kept sealed.

use crate::{ActInput, Casework, error::CaseworkError, submit::PHOTOS_MAX};
use async_trait::async_trait;
use image::{
    ImageFormat, ImageReader, Limits, codecs::jpeg::JpegEncoder, imageops::FilterType, metadata::Orientation,
};
use onetrip_event_log::{AppendHook, Vault, VaultError};
use onetrip_model::{AttachmentRef, CaseId, Subject};
use sqlx::PgConnection;
use std::{collections::BTreeSet, io::Cursor};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// Largest photo taken in, in bytes.
pub const PHOTO_BYTES_MAX: usize = 12 * 1024 * 1024;
/// Photos of an answer to a request, which is given once and for every paper asked for.
pub const PAPERS_MAX: usize = 12;
/// Longest side kept, in pixels: enough to read a meter or a number plate.
const SIDE_PIXELS_MAX: u32 = 2048;
/// Largest picture decoded, in pixels of a side; a bomb is refused before it is unpacked.
const DECODE_SIDE_PIXELS_MAX: u32 = 12_000;
const DECODE_BYTES_MAX: u64 = 256 * 1024 * 1024;
const JPEG_QUALITY: u8 = 82;
const PURPOSE: &str = "upload";
/// Violated where a waiting photo has come into a case meanwhile.
pub(crate) const PHOTO_USED: &str = "attachments_pkey";
/// Pictures decoded at the same time: each may take hundreds of megabytes.
static DECODING: Semaphore = Semaphore::const_new(2);
/// Uploads one visitor may have waiting.
const WAITING_MAX: i64 = 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhotoFault {
    #[error("the file is empty")]
    Empty,
    #[error("the file is larger than 12 MB")]
    TooLarge,
    #[error("not a JPEG, PNG or WebP picture")]
    NotAPicture,
    #[error("too many photos are waiting")]
    TooMany,
}

impl PhotoFault {
    /// The stable code: `photo-{code}` in the catalogues.
    pub fn code(self) -> &'static str {
        match self {
            PhotoFault::Empty => "empty",
            PhotoFault::TooLarge => "too-large",
            PhotoFault::NotAPicture => "not-a-picture",
            PhotoFault::TooMany => "too-many",
        }
    }
}

/// A photo that belongs to no case yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    pub id: Uuid,
    pub size_bytes: u64,
}

/// A photo as shown.
#[derive(Clone, Debug)]
pub struct Photo {
    pub media_type: String,
    pub bytes: Vec<u8>,
}

/// How many photos an act may name.
pub(crate) fn photos_max(act: &ActInput) -> usize {
    match act {
        ActInput::AnswerRequest { .. } => PAPERS_MAX,
        _ => PHOTOS_MAX,
    }
}

/// Decodes within limits, turns it upright, scales it down, encodes it as JPEG.
fn remake(bytes: &[u8]) -> Result<Vec<u8>, PhotoFault> {
    if bytes.is_empty() {
        return Err(PhotoFault::Empty);
    }
    if bytes.len() > PHOTO_BYTES_MAX {
        return Err(PhotoFault::TooLarge);
    }
    let mut reader = ImageReader::new(Cursor::new(bytes))
        .with_guessed_format()
        .map_err(|_| PhotoFault::NotAPicture)?;
    if !matches!(
        reader.format(),
        Some(ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP)
    ) {
        return Err(PhotoFault::NotAPicture);
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(DECODE_SIDE_PIXELS_MAX);
    limits.max_image_height = Some(DECODE_SIDE_PIXELS_MAX);
    limits.max_alloc = Some(DECODE_BYTES_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|_| PhotoFault::NotAPicture)?;
    // The reader's limit bounds what a decoder allocates besides; the picture itself is ours to bound.
    if image::ImageDecoder::total_bytes(&decoder) > DECODE_BYTES_MAX {
        return Err(PhotoFault::NotAPicture);
    }
    let orientation = image::ImageDecoder::orientation(&mut decoder).unwrap_or(Orientation::NoTransforms);
    let mut picture = image::DynamicImage::from_decoder(decoder).map_err(|_| PhotoFault::NotAPicture)?;
    picture.apply_orientation(orientation);
    if picture.width().max(picture.height()) > SIDE_PIXELS_MAX {
        picture = picture.resize(SIDE_PIXELS_MAX, SIDE_PIXELS_MAX, FilterType::Triangle);
    }
    let mut remade = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut remade, JPEG_QUALITY);
    picture
        .to_rgb8()
        .write_with_encoder(encoder)
        .map_err(|_| PhotoFault::NotAPicture)?;
    Ok(remade)
}

impl Casework {
    /// Takes a photo in for `owner`, kept for a day until it is used in a case.
    pub async fn take_photo(&self, owner: &str, bytes: Vec<u8>) -> Result<Upload, CaseworkError> {
        let waiting: i64 =
            sqlx::query_scalar("SELECT count(*) FROM uploads WHERE owner = $1 AND expires_at > now()")
                .bind(owner)
                .fetch_one(self.pool())
                .await?;
        if waiting >= WAITING_MAX {
            return Err(PhotoFault::TooMany.into());
        }
        let permit = DECODING.acquire().await.map_err(CaseworkError::internal)?;
        let remade = tokio::task::spawn_blocking(move || {
            // Held until the work is done, also when whoever asked has gone.
            let _permit = permit;
            remake(&bytes)
        });
        let remade = remade.await.map_err(CaseworkError::internal)??;
        let upload = Upload {
            id: Uuid::new_v4(),
            size_bytes: remade.len() as u64,
        };
        sqlx::query(
            "INSERT INTO uploads (id, owner, media_type, sealed, size_bytes, expires_at)
             VALUES ($1, $2, 'image/jpeg', $3, $4, now() + interval '24 hours')",
        )
        .bind(upload.id)
        .bind(owner)
        .bind(self.vault().seal_loose(PURPOSE, &remade)?)
        .bind(i64::try_from(remade.len()).unwrap_or(i64::MAX))
        .execute(self.pool())
        .await?;
        Ok(upload)
    }

    pub async fn uploads(&self, owner: &str) -> Result<Vec<Upload>, CaseworkError> {
        let rows: Vec<(Uuid, i64)> = sqlx::query_as(
            "SELECT id, size_bytes FROM uploads WHERE owner = $1 AND expires_at > now() ORDER BY expires_at",
        )
        .bind(owner)
        .fetch_all(self.pool())
        .await?;
        Ok(rows
            .into_iter()
            .map(|(id, size)| Upload {
                id,
                size_bytes: size.unsigned_abs(),
            })
            .collect())
    }

    /// A waiting photo, shown to who handed it in.
    pub async fn upload(&self, owner: &str, id: Uuid) -> Result<Photo, CaseworkError> {
        let row: Option<(String, Vec<u8>)> = sqlx::query_as(
            "SELECT media_type, sealed FROM uploads WHERE id = $1 AND owner = $2 AND expires_at > now()",
        )
        .bind(id)
        .bind(owner)
        .fetch_optional(self.pool())
        .await?;
        let (media_type, sealed) = row.ok_or(CaseworkError::NotFound)?;
        Ok(Photo {
            media_type,
            bytes: self.vault().open_loose(PURPOSE, &sealed)?,
        })
    }

    pub async fn drop_upload(&self, owner: &str, id: Uuid) -> Result<(), CaseworkError> {
        sqlx::query("DELETE FROM uploads WHERE id = $1 AND owner = $2")
            .bind(id)
            .bind(owner)
            .execute(self.pool())
            .await?;
        Ok(())
    }

    /// The waiting photos a command names, ready to move into its case. An unknown or foreign one is `NotFound`.
    pub(crate) async fn claim(&self, owner: &str, ids: &[Uuid]) -> Result<Claimed, CaseworkError> {
        let mut photos = Vec::with_capacity(ids.len());
        // Named twice, it is still one photo.
        let distinct: BTreeSet<&Uuid> = ids.iter().collect();
        for id in distinct {
            let photo = self.upload(owner, *id).await?;
            let size_bytes = photo.bytes.len() as u64;
            photos.push((
                AttachmentRef {
                    id: *id,
                    media_type: photo.media_type,
                    size_bytes,
                },
                photo.bytes,
            ));
        }
        Ok(Claimed { photos })
    }

    /// A photo of a case. The caller has made sure that it may be seen.
    pub(crate) async fn attachment(&self, case: CaseId, id: Uuid) -> Result<Photo, CaseworkError> {
        let mut connection = self.pool().acquire().await?;
        let row: Option<(String, Vec<u8>)> =
            sqlx::query_as("SELECT media_type, sealed FROM attachments WHERE id = $1 AND case_id = $2")
                .bind(id)
                .bind(case.0)
                .fetch_optional(&mut *connection)
                .await?;
        let (media_type, sealed) = row.ok_or(CaseworkError::NotFound)?;
        let subject = Subject::Case(case);
        let opener = self.vault().opener(&mut connection, [subject]).await?;
        let bytes = opener
            .open_bytes(subject, &sealed)?
            .ok_or(CaseworkError::NotFound)?;
        Ok(Photo { media_type, bytes })
    }
}

/// Photos on their way from the waiting room into a case.
pub(crate) struct Claimed {
    photos: Vec<(AttachmentRef, Vec<u8>)>,
}

impl Claimed {
    pub fn refs(&self) -> Vec<AttachmentRef> {
        self.photos
            .iter()
            .map(|(reference, _)| reference.clone())
            .collect()
    }

    /// None where there are no photos: an append without rows of its own shares its transaction.
    pub fn moved_into<'a>(&'a self, case: CaseId, vault: &'a Vault) -> Option<MoveIn<'a>> {
        (!self.photos.is_empty()).then_some(MoveIn {
            claimed: self,
            case,
            vault,
        })
    }
}

/// Moves claimed photos into a case, in the transaction of the append.
pub(crate) struct MoveIn<'a> {
    claimed: &'a Claimed,
    case: CaseId,
    vault: &'a Vault,
}

#[async_trait]
impl AppendHook for MoveIn<'_> {
    async fn run(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        for (reference, bytes) in &self.claimed.photos {
            let sealed = self
                .vault
                .seal_bytes(connection, Subject::Case(self.case), bytes)
                .await
                .map_err(|error| match error {
                    VaultError::Database(error) => error,
                    error => sqlx::Error::Protocol(error.to_string()),
                })?;
            sqlx::query("INSERT INTO attachments (id, case_id, media_type, sealed, size_bytes) VALUES ($1, $2, $3, $4, $5)")
                .bind(reference.id)
                .bind(self.case.0)
                .bind(&reference.media_type)
                .bind(sealed)
                .bind(i64::try_from(reference.size_bytes).unwrap_or(i64::MAX))
                .execute(&mut *connection)
                .await?;
            sqlx::query("DELETE FROM uploads WHERE id = $1")
                .bind(reference.id)
                .execute(&mut *connection)
                .await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        image::DynamicImage::new_rgb8(width, height)
            .write_to(&mut bytes, ImageFormat::Png)
            .unwrap();
        bytes.into_inner()
    }

    #[test]
    fn a_photo_becomes_a_jpeg_of_bounded_size() {
        let remade = remake(&png(3000, 1500)).unwrap();
        let picture = image::load_from_memory_with_format(&remade, ImageFormat::Jpeg).unwrap();
        assert_eq!((picture.width(), picture.height()), (2048, 1024));
    }

    #[test]
    fn metadata_is_left_behind() {
        let mut with_exif = Vec::new();
        let plain = {
            let mut bytes = Cursor::new(Vec::new());
            image::DynamicImage::new_rgb8(8, 8)
                .write_to(&mut bytes, ImageFormat::Jpeg)
                .unwrap();
            bytes.into_inner()
        };
        // An APP1 segment with an Exif header and a tell-tale, right after the start of image.
        let segment = b"Exif\0\0MM\0*\0\0\0\x08\0\0GPS-22.54-114.05";
        with_exif.extend_from_slice(&plain[..2]);
        with_exif.extend_from_slice(&[0xFF, 0xE1]);
        with_exif.extend_from_slice(&u16::try_from(segment.len() + 2).unwrap().to_be_bytes());
        with_exif.extend_from_slice(segment);
        with_exif.extend_from_slice(&plain[2..]);
        let remade = remake(&with_exif).unwrap();
        assert!(
            !remade
                .windows(4)
                .any(|window| window == b"Exif" || window == b"GPS-")
        );
    }

    #[test]
    fn a_picture_that_unpacks_to_too_much_is_refused_before_it_does() {
        // Only the head of a PNG of 12,000 by 12,000 pixels, 16 bits of four channels: 1.15 GB unpacked.
        let head = png(8, 8);
        let mut bomb = head.clone();
        bomb[16..20].copy_from_slice(&12_000_u32.to_be_bytes());
        bomb[20..24].copy_from_slice(&12_000_u32.to_be_bytes());
        bomb[24] = 16;
        bomb[25] = 6;
        let checksum = crc32(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&checksum.to_be_bytes());
        let decoder = ImageReader::new(Cursor::new(&bomb[..]))
            .with_guessed_format()
            .unwrap()
            .into_decoder()
            .unwrap();
        assert!(image::ImageDecoder::total_bytes(&decoder) > DECODE_BYTES_MAX);
        assert_eq!(remake(&bomb), Err(PhotoFault::NotAPicture));
    }

    /// The checksum of a PNG chunk.
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
            })
        })
    }

    #[test]
    fn what_is_no_picture_is_refused_by_name() {
        assert_eq!(remake(b""), Err(PhotoFault::Empty));
        assert_eq!(remake(b"<svg onload=alert(1)>"), Err(PhotoFault::NotAPicture));
        assert_eq!(remake(&png(8, 8)[..20]), Err(PhotoFault::NotAPicture));
        assert_eq!(remake(&vec![0; PHOTO_BYTES_MAX + 1]), Err(PhotoFault::TooLarge));
    }
}
