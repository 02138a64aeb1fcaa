//! Java's serialization, as far as key entries need it: objects with strings, byte arrays, numbers, enums and
//! further objects in their fields. Nothing is instantiated; the stream is only taken apart.
//!
//! Source: Java Object Serialization Specification, chapter 6. Every value borrows from the stream.

use std::rc::Rc;

use nom::bytes::complete::take;
use nom::error::Error as NomError;
use nom::number::complete::{be_i32, be_u8, be_u16, be_u32};
use nom::{IResult, Parser};

use super::KeyFault;

/// `STREAM_MAGIC` and `STREAM_VERSION`.
const HEAD: [u8; 4] = [0xAC, 0xED, 0x00, 0x05];
const TC_NULL: u8 = 0x70;
const TC_REFERENCE: u8 = 0x71;
const TC_CLASSDESC: u8 = 0x72;
const TC_OBJECT: u8 = 0x73;
const TC_STRING: u8 = 0x74;
const TC_ARRAY: u8 = 0x75;
const TC_BLOCKDATA: u8 = 0x77;
const TC_ENDBLOCKDATA: u8 = 0x78;
const TC_ENUM: u8 = 0x7E;
const FIRST_HANDLE: u32 = 0x007E_0000;
const SC_WRITE_METHOD: u8 = 1;
const SC_SERIALIZABLE: u8 = 2;
/// Key entries nest two or three deep.
const DEEPEST: u8 = 16;

/// A deserialized object: its fields, those of its superclasses included.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Object<'a> {
    /// Name of its class, with the package.
    pub(super) class: &'a str,
    fields: Vec<(&'a str, Value<'a>)>,
}

#[derive(Debug, Clone, PartialEq)]
enum Value<'a> {
    Text(&'a str),
    Bytes(&'a [u8]),
    /// Null, a number, an enum, an object: read over, never looked at.
    Other,
}

impl<'a> Object<'a> {
    /// The text in field `name`.
    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.fields.iter().find_map(|(field, value)| match value {
            Value::Text(text) if *field == name => Some(*text),
            _ => None,
        })
    }

    /// The byte array in field `name`.
    pub(super) fn bytes(&self, name: &str) -> Option<&'a [u8]> {
        self.fields.iter().find_map(|(field, value)| match value {
            Value::Bytes(bytes) if *field == name => Some(*bytes),
            _ => None,
        })
    }
}

/// Reads the object at the start of `stream`: it, and what follows it.
pub(super) fn read_object(stream: &[u8]) -> Result<(Object<'_>, &[u8]), KeyFault> {
    let mut reader = Reader { start: stream.len(), rest: stream, handles: Vec::new() };
    if reader.fixed::<4>()? != HEAD || reader.u8()? != TC_OBJECT {
        return Err(reader.expected("a serialized Java object"));
    }
    let object = reader.object(DEEPEST)?;
    Ok((object, reader.rest))
}

#[derive(Debug)]
struct Class<'a> {
    name: &'a str,
    flags: u8,
    fields: Vec<(u8, &'a str)>,
    parent: Option<Rc<Class<'a>>>,
}

/// What an earlier place of the stream may be referred to as.
#[derive(Clone)]
enum Handle<'a> {
    Class(Rc<Class<'a>>),
    Text(&'a str),
    Bytes(&'a [u8]),
    Other,
}

struct Reader<'a> {
    start: usize,
    rest: &'a [u8],
    handles: Vec<Handle<'a>>,
}

impl<'a> Reader<'a> {
    fn expected(&self, expected: &'static str) -> KeyFault {
        KeyFault::Malformed { offset: self.start - self.rest.len(), expected }
    }

    fn parse<T>(&mut self, parser: impl Fn(&'a [u8]) -> IResult<&'a [u8], T>) -> Result<T, KeyFault> {
        let (rest, value) = parser(self.rest).map_err(|_| self.expected("more bytes"))?;
        self.rest = rest;
        Ok(value)
    }

    fn u8(&mut self) -> Result<u8, KeyFault> {
        self.parse(be_u8)
    }

    fn u16(&mut self) -> Result<u16, KeyFault> {
        self.parse(be_u16)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], KeyFault> {
        self.parse(|input| take::<_, _, NomError<&[u8]>>(length).parse(input))
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], KeyFault> {
        let bytes = self.take(N)?;
        bytes.try_into().map_err(|_| self.expected("more bytes"))
    }

    fn utf(&mut self) -> Result<&'a str, KeyFault> {
        let length = self.u16()?;
        let bytes = self.take(usize::from(length))?;
        std::str::from_utf8(bytes).map_err(|_| self.expected("text"))
    }

    fn deeper(&self, depth: u8) -> Result<u8, KeyFault> {
        depth.checked_sub(1).ok_or_else(|| self.expected("less nesting"))
    }

    fn reference(&mut self) -> Result<Handle<'a>, KeyFault> {
        let handle = self.parse(be_u32)?;
        let index = handle.checked_sub(FIRST_HANDLE).and_then(|index| usize::try_from(index).ok());
        index
            .and_then(|index| self.handles.get(index).cloned())
            .ok_or_else(|| self.expected("a reference backwards"))
    }

    fn class(&mut self, depth: u8) -> Result<Option<Rc<Class<'a>>>, KeyFault> {
        let depth = self.deeper(depth)?;
        match self.u8()? {
            TC_NULL => Ok(None),
            TC_REFERENCE => match self.reference()? {
                Handle::Class(class) => Ok(Some(class)),
                _ => Err(self.expected("a reference to a class")),
            },
            TC_CLASSDESC => self.new_class(depth).map(Some),
            _ => Err(self.expected("a class")),
        }
    }

    fn new_class(&mut self, depth: u8) -> Result<Rc<Class<'a>>, KeyFault> {
        let name = self.utf()?;
        let _serial_version = self.take(8)?;
        let handle = self.handles.len();
        self.handles.push(Handle::Other);
        let flags = self.u8()?;
        let count = self.u16()?;
        let mut fields = Vec::new();
        for _ in 0..count {
            let kind = self.u8()?;
            let field = self.utf()?;
            if matches!(kind, b'L' | b'[') {
                self.value(depth)?;
            }
            fields.push((kind, field));
        }
        self.annotation(depth)?;
        let parent = self.class(depth)?;
        let class = Rc::new(Class { name, flags, fields, parent });
        if let Some(place) = self.handles.get_mut(handle) {
            *place = Handle::Class(Rc::clone(&class));
        }
        Ok(class)
    }

    /// What follows `TC_OBJECT`.
    fn object(&mut self, depth: u8) -> Result<Object<'a>, KeyFault> {
        let depth = self.deeper(depth)?;
        let class = self.class(depth)?.ok_or_else(|| self.expected("a class"))?;
        self.handles.push(Handle::Other);
        let mut fields = Vec::new();
        self.class_fields(&class, depth, &mut fields)?;
        Ok(Object { class: class.name, fields })
    }

    /// Field values stand in the stream from the topmost superclass down.
    fn class_fields(
        &mut self,
        class: &Class<'a>,
        depth: u8,
        fields: &mut Vec<(&'a str, Value<'a>)>,
    ) -> Result<(), KeyFault> {
        if let Some(parent) = &class.parent {
            self.class_fields(parent, self.deeper(depth)?, fields)?;
        }
        if class.flags & SC_SERIALIZABLE == 0 {
            return Err(self.expected("a serializable class"));
        }
        for (kind, name) in &class.fields {
            let value = self.field(*kind, depth)?;
            fields.push((name, value));
        }
        if class.flags & SC_WRITE_METHOD != 0 {
            self.annotation(depth)?;
        }
        Ok(())
    }

    fn field(&mut self, kind: u8, depth: u8) -> Result<Value<'a>, KeyFault> {
        let width = match kind {
            b'B' | b'Z' => 1,
            b'C' | b'S' => 2,
            b'I' | b'F' => 4,
            b'J' | b'D' => 8,
            b'L' | b'[' => return self.value(depth),
            _ => return Err(self.expected("a type of field")),
        };
        self.take(width).map(|_| Value::Other)
    }

    fn value(&mut self, depth: u8) -> Result<Value<'a>, KeyFault> {
        let depth = self.deeper(depth)?;
        match self.u8()? {
            TC_NULL => Ok(Value::Other),
            TC_STRING => {
                let text = self.utf()?;
                self.handles.push(Handle::Text(text));
                Ok(Value::Text(text))
            }
            TC_REFERENCE => Ok(match self.reference()? {
                Handle::Text(text) => Value::Text(text),
                Handle::Bytes(bytes) => Value::Bytes(bytes),
                Handle::Class(_) | Handle::Other => Value::Other,
            }),
            TC_ARRAY => self.byte_array(depth),
            TC_OBJECT => self.object(depth).map(|_| Value::Other),
            TC_ENUM => {
                self.class(depth)?;
                self.handles.push(Handle::Other);
                self.value(depth).map(|_| Value::Other)
            }
            _ => Err(self.expected("a value")),
        }
    }

    fn byte_array(&mut self, depth: u8) -> Result<Value<'a>, KeyFault> {
        let class = self.class(depth)?;
        if class.is_none_or(|class| class.name != "[B") {
            return Err(self.expected("an array of bytes"));
        }
        let length = self.parse(be_i32)?;
        let length = usize::try_from(length).map_err(|_| self.expected("a length"))?;
        let bytes = self.take(length)?;
        self.handles.push(Handle::Bytes(bytes));
        Ok(Value::Bytes(bytes))
    }

    /// Data that a class wrote by itself, up to its end mark.
    fn annotation(&mut self, depth: u8) -> Result<(), KeyFault> {
        loop {
            match self.rest.first() {
                Some(&TC_ENDBLOCKDATA) => return self.u8().map(|_| ()),
                Some(&TC_BLOCKDATA) => {
                    self.u8()?;
                    let length = self.u8()?;
                    self.take(usize::from(length))?;
                }
                _ => {
                    self.value(depth)?;
                }
            }
        }
    }
}
