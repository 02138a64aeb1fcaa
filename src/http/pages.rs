//! What a server shows.

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Status code of HTTP.
    pub code: u16,
    /// Value of the header `Content-Type`.
    pub content_type: &'static str,
    /// The content.
    pub body: Vec<u8>,
}

/// Who answers; asked from the server's thread.
pub trait Pages: Send + Sync {
    /// The answer to a GET of this path.
    fn page(&self, path: &str) -> Page;
}
