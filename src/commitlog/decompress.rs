//! temp
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    Lz4,
    Snappy,
    Deflate,
    Zstd,
    Noop,
}
impl Compression {
    pub fn from_class(c: &str) -> Option<Self> {
        match c.rsplit('.').next()? {
            "LZ4Compressor" => Some(Self::Lz4),
            _ => None,
        }
    }
}
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("x")]
pub struct BodyError;
pub fn decompress(_c: Compression, _b: &[u8], _l: usize, _o: &mut Vec<u8>) -> Result<(), BodyError> {
    Err(BodyError)
}
