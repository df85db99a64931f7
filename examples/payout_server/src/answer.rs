//! What is answered when a request is refused: `{"code": …, "message": …}`, with the documented codes of the commands.

use axum::Json;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bolt12::CommandError;
use bolt12::payout::{ClaimError, CreateError, StoreError};
use serde_json::json;

/// A request that is refused.
pub(crate) struct Refused {
    status: StatusCode,
    code: i32,
    message: String,
}

impl Refused {
    pub(crate) fn new(status: StatusCode, message: impl ToString) -> Self {
        Self { status, code: -1, message: message.to_string() }
    }

    pub(crate) fn bad(message: impl ToString) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.status, Json(json!({"code": self.code, "message": self.message}))).into_response()
    }
}

impl From<CommandError> for Refused {
    fn from(error: CommandError) -> Self {
        let code = error.code();
        match error {
            CommandError::Claim(error) => error.into(),
            CommandError::Store(error) => error.into(),
            _ if code == -1 => Self::bad(error),
            _ => Self { code, ..Self::new(StatusCode::CONFLICT, error) },
        }
    }
}

impl From<CreateError> for Refused {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::DifferentTerms { .. } => {
                Self { code: 1050, ..Self::new(StatusCode::CONFLICT, error) }
            }
            CreateError::Store(error) => error.into(),
            _ => Self::bad(error),
        }
    }
}

impl From<ClaimError> for Refused {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::Store(error) => error.into(),
            ClaimError::ShuttingDown => Self::new(StatusCode::SERVICE_UNAVAILABLE, error),
            ClaimError::UnknownPayout => Self::new(StatusCode::NOT_FOUND, error),
            _ => Self::new(StatusCode::CONFLICT, error),
        }
    }
}

/// Whether the call took effect is unknown. The same request again is safe, and learns it.
impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, error)
    }
}

impl From<JsonRejection> for Refused {
    fn from(error: JsonRejection) -> Self {
        Self::new(error.status(), error.body_text())
    }
}

impl From<QueryRejection> for Refused {
    fn from(error: QueryRejection) -> Self {
        Self::new(error.status(), error.body_text())
    }
}

/// More requests wait than the server keeps.
pub(crate) async fn overloaded(_: axum::BoxError) -> Refused {
    Refused::new(StatusCode::SERVICE_UNAVAILABLE, "too many requests: try again")
}
