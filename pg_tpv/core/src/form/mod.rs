//! The form of a request to a function of schema `own`: which members it has, and what each of them
//! is. Whether the values make sense is for the function itself.
//!
//! The function says its members in one line, `receipt_id uuid!; why why!; file_name file`: a name,
//! its type, and `!` where it must be there.

mod member_type;

use crate::json::Value;
use crate::problem::Place;

pub use member_type::MemberType;

/// What is wrong with a member, in words that repeat no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormFault {
    /// The request is no object.
    NotAnObject,
    /// A member that the function does not have.
    Unknown,
    /// A member that must be there is not, or is null.
    Missing,
    /// A value that is not what its type wants, which the sentence says.
    Format(&'static str),
}

impl FormFault {
    /// Stable, for machines.
    pub fn code(self) -> &'static str {
        match self {
            Self::NotAnObject => "type",
            Self::Unknown => "unknown",
            Self::Missing => "missing",
            Self::Format(_) => "format",
        }
    }

    /// For people.
    pub fn detail(self) -> &'static str {
        match self {
            Self::NotAnObject => "it is an object",
            Self::Unknown => "there is no such member",
            Self::Missing => "it must be given",
            Self::Format(wants) => wants,
        }
    }
}

/// The members of a request that a function names.
#[derive(Clone, Debug)]
pub struct Form<'a>(Vec<Member<'a>>);

#[derive(Clone, Copy, Debug)]
struct Member<'a> {
    name: &'a str,
    kind: MemberType,
    must: bool,
}

impl<'a> Form<'a> {
    /// Reads the line of a function.
    ///
    /// # Errors
    /// The part of the line that says no member.
    pub fn read(line: &'a str) -> Result<Self, &'a str> {
        let parts = line.split(';').map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| Member::read(part).ok_or(part)).collect::<Result<_, _>>().map(Self)
    }

    /// All that is wrong with the form of a request: the pointer of each fault with the fault, by
    /// pointer.
    pub fn faults(&self, request: &Value) -> Vec<(String, FormFault)> {
        let given = request.as_object().unwrap_or_default();
        let mut faults = Vec::new();
        for (name, value) in given {
            let place = Place::Root.key(name).pointer();
            match self.0.iter().find(|member| member.name == name) {
                None => faults.push((place, FormFault::Unknown)),
                Some(member) if value.is_null() => {
                    if member.must {
                        faults.push((place, FormFault::Missing));
                    }
                }
                Some(member) => faults.extend(member.kind.fault(value).map(|wants| (place, FormFault::Format(wants)))),
            }
        }
        let missing = self.0.iter().filter(|member| member.must && request.get(member.name).is_none());
        faults.extend(missing.map(|member| (Place::Root.key(member.name).pointer(), FormFault::Missing)));
        if request.as_object().is_none() {
            faults.push((String::new(), FormFault::NotAnObject));
        }
        faults.sort_by(|(one, _), (other, _)| one.cmp(other));
        faults
    }
}

impl<'a> Member<'a> {
    fn read(part: &'a str) -> Option<Self> {
        let (name, kind) = part.split_once(' ')?;
        let kind = kind.trim();
        let must = kind.ends_with('!');
        Some(Self { name, kind: MemberType::read(kind.trim_end_matches('!'))?, must })
    }
}

#[cfg(test)]
mod tests;
