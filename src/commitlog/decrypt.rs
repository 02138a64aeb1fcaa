//! temp
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("x")]
pub struct CipherError;
#[derive(Debug)]
pub struct SectionCipher;
impl SectionCipher {
    pub fn new(_c: &str, _k: &[u8], _iv: &[u8]) -> Result<Self, CipherError> {
        Err(CipherError)
    }
    pub fn decrypt(
        &self,
        _b: &[u8],
        _l: usize,
        _s: &mut Vec<u8>,
        _o: &mut Vec<u8>,
    ) -> Result<(), super::decompress::BodyError> {
        Ok(())
    }
}
