//! Who may call: bearer tokens, kept as SHA-256 digests, compared in constant time.
//!
//! The file has one line a token: `<sha256 of the token, hex> <name> <role>,<role>…`; `#` begins a
//! comment. Tokens are 256-bit random strings, so a plain hash is enough: there is nothing to
//! guess.

use std::path::Path;

use protocol::text::without_bom;
use sha2::{Digest, Sha256};

use crate::fault::FaultCode;

/// What a token may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// 录入人: records, imports, corrects, closes, submits.
    Recorder,
    /// 统计负责人: as recorder for the month's rollup; decides on children's rollups.
    Reviewer,
    /// 单位负责人: signs and decides.
    Head,
    /// 检查人员: reads events, evidence and disclosures.
    Inspector,
    /// 运维: enrols people, adopts published documents.
    Operator,
}

impl Role {
    /// All roles.
    pub const ALL: [Role; 5] = [
        Role::Recorder,
        Role::Reviewer,
        Role::Head,
        Role::Inspector,
        Role::Operator,
    ];
    /// As it stands in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::Recorder => "recorder",
            Role::Reviewer => "reviewer",
            Role::Head => "head",
            Role::Inspector => "inspector",
            Role::Operator => "operator",
        }
    }
}

/// A caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Name within the unit; the recorder's key of this name signs what is recorded.
    pub name: String,
    /// Roles.
    pub roles: Vec<Role>,
}

/// The known tokens.
#[derive(Debug, Clone, Default)]
pub struct Tokens(Vec<([u8; 32], Caller)>);

/// A token file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("token file {path}: {message} [{}]", FaultCode::TokensMalformed)]
pub struct TokenError {
    path: String,
    message: String,
}

impl Tokens {
    /// Reads a file.
    ///
    /// # Errors
    /// Missing, or a line that is not a token.
    pub fn load(path: &Path) -> Result<Tokens, TokenError> {
        let error = |message: String| TokenError {
            path: path.display().to_string(),
            message,
        };
        let text = crate::text_file::read(path).map_err(|e| error(e.to_string()))?;
        Tokens::parse(without_bom(&text)).map_err(|line| {
            error(format!(
                "line {line}: write <sha256 hex> <name> <role>,<role>"
            ))
        })
    }

    /// Reads the text of a file; an error names the line.
    ///
    /// # Errors
    /// The first line that is not a token.
    pub fn parse(text: &str) -> Result<Tokens, usize> {
        let mut list = Vec::new();
        for (n, line) in text.lines().enumerate() {
            let line = line.split('#').next().unwrap_or_default().trim();
            if line.is_empty() {
                continue;
            }
            let words: Vec<&str> = line.split_whitespace().collect();
            let [digest, name, roles] = words.as_slice() else {
                return Err(n + 1);
            };
            let digest = protocol::text::hex::array(digest).ok_or(n + 1)?;
            let roles: Option<Vec<Role>> = roles
                .split(',')
                .map(|r| Role::ALL.into_iter().find(|x| x.as_str() == r))
                .collect();
            list.push((
                digest,
                Caller {
                    name: (*name).to_string(),
                    roles: roles.ok_or(n + 1)?,
                },
            ));
        }
        Ok(Tokens(list))
    }

    /// Who holds this token.
    pub fn find(&self, token: &str) -> Option<&Caller> {
        let given: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let mut found = None;
        for (known, caller) in &self.0 {
            // Every token is compared, and every byte of it: time tells nothing of how near a guess
            // was.
            let difference = known.iter().zip(given).fold(0_u8, |d, (a, b)| d | (a ^ b));
            if difference == 0 {
                found = Some(caller);
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_by_digest_and_refuses_the_rest() {
        let digest = protocol::text::hex::encode(&Sha256::digest(b"secret"));
        let tokens =
            Tokens::parse(&format!("# people\n{digest} chen recorder,head # 填表人\n")).unwrap();
        assert_eq!(
            tokens.find("secret").unwrap().roles,
            [Role::Recorder, Role::Head]
        );
        assert!(
            tokens.find("secre").is_none()
                && tokens.find("").is_none()
                && tokens.find(&digest).is_none()
        );
        assert_eq!(Tokens::parse("abc chen recorder").unwrap_err(), 1);
        assert_eq!(
            Tokens::parse(&format!("{digest} chen king")).unwrap_err(),
            1
        );
    }
}
