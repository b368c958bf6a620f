"""From a question to a verified answer: retrieval, evidence, readings, prompt, engines, citations, abstention."""
