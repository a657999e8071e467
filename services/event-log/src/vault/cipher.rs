//! The cipher under everything sealed: XChaCha20-Poly1305 with a random nonce, bound to whose it is.

use super::VaultError;
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use zeroize::{Zeroize, ZeroizeOnDrop};

const NONCE_BYTES: usize = 24;
pub(super) const KEY_BYTES: usize = 32;
/// First byte of everything sealed, so that another cipher can follow one day.
const FORMAT: u8 = 1;

#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub(crate) struct DataKey(pub(super) [u8; KEY_BYTES]);

impl DataKey {
    pub fn random() -> Result<DataKey, VaultError> {
        Ok(DataKey(random()?))
    }
}

pub(super) fn random<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| VaultError::Randomness(error.to_string()))?;
    Ok(bytes)
}

fn cipher(key: &DataKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new(&key.0.into())
}

pub(super) fn seal(key: &DataKey, bound_to: &[u8], plain: &[u8]) -> Result<Vec<u8>, VaultError> {
    let nonce = random::<NONCE_BYTES>()?;
    let payload = Payload {
        msg: plain,
        aad: bound_to,
    };
    let text = cipher(key)
        .encrypt(&XNonce::from(nonce), payload)
        .map_err(|_| VaultError::DoesNotOpen)?;
    let mut sealed = Vec::with_capacity(1 + NONCE_BYTES + text.len());
    sealed.push(FORMAT);
    sealed.extend_from_slice(&nonce);
    sealed.extend_from_slice(&text);
    Ok(sealed)
}

pub(super) fn open(key: &DataKey, bound_to: &[u8], sealed: &[u8]) -> Result<Vec<u8>, VaultError> {
    let Some((&FORMAT, rest)) = sealed.split_first() else {
        return Err(VaultError::DoesNotOpen);
    };
    let Some((nonce, text)) = rest.split_at_checked(NONCE_BYTES) else {
        return Err(VaultError::DoesNotOpen);
    };
    let nonce = <[u8; NONCE_BYTES]>::try_from(nonce).map_err(|_| VaultError::DoesNotOpen)?;
    let payload = Payload {
        msg: text,
        aad: bound_to,
    };
    cipher(key)
        .decrypt(&XNonce::from(nonce), payload)
        .map_err(|_| VaultError::DoesNotOpen)
}
