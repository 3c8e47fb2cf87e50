"""Answers transcribed from the published description of GET /v1/jobs/:id."""

from typing import Any

JOB_ID = "job_abc123def456"

PENDING: dict[str, Any] = {
    "success": True,
    "data": {
        "id": JOB_ID,
        "status": "pending",
        "progress": 0,
        "documentType": "invoice",
        "createdAt": "2024-01-27T10:30:00Z",
        "updatedAt": "2024-01-27T10:30:00Z",
    },
}

PROCESSING: dict[str, Any] = {
    "success": True,
    "data": {
        "id": JOB_ID,
        "status": "processing",
        "progress": 45,
        "documentType": "invoice",
        "createdAt": "2024-01-27T10:30:00Z",
        "updatedAt": "2024-01-27T10:30:15Z",
    },
}

COMPLETED: dict[str, Any] = {
    "success": True,
    "data": {
        "id": JOB_ID,
        "status": "completed",
        "progress": 100,
        "documentType": "invoice",
        "documentId": "doc_xyz789ghi012",
        "result": {
            "extractedFields": {
                "invoiceNumber": "INV-2024-001",
                "amount": 1250.00,
                "currency": "USD",
                "vendor": "Acme Corp",
                "date": "2024-01-15",
            },
            "confidence": 0.97,
        },
        "createdAt": "2024-01-27T10:30:00Z",
        "updatedAt": "2024-01-27T10:30:45Z",
        "completedAt": "2024-01-27T10:30:45Z",
    },
}

FAILED: dict[str, Any] = {
    "success": True,
    "data": {
        "id": JOB_ID,
        "status": "failed",
        "progress": 23,
        "documentType": "invoice",
        "error": {
            "code": "OCR_FAILED",
            "message": "Unable to extract text from document. The image may be corrupted or too low quality.",
            "details": {"step": "text_extraction", "retryable": True},
        },
        "createdAt": "2024-01-27T10:30:00Z",
        "updatedAt": "2024-01-27T10:30:20Z",
        "failedAt": "2024-01-27T10:30:20Z",
    },
}

NOT_FOUND: dict[str, Any] = {
    "success": False,
    "error": {"code": "JOB_NOT_FOUND", "message": "Job with ID 'job_abc123def456' not found"},
}


def shape(value: object) -> object:
    """Reduce an answer to its keys, their order, and the JSON types of its values."""
    if isinstance(value, dict):
        return [(key, shape(item)) for key, item in value.items()]
    return "number" if type(value) in (int, float) else type(value).__name__
