# 程序读取的问题说明（RFC 9457）。标题简短，不加句号；其余是完整的句子。
problem-bad-request = 请求读不懂
problem-bad-json = 正文不是 JSON
problem-bad-query = 地址里的查询参数读不懂
problem-method-not-allowed = 这个地址不能这样请求
problem-unsupported-media-type = 这里不收这种类型的正文
problem-idempotency-key-missing = 缺少 Idempotency-Key
problem-idempotency-key-malformed = Idempotency-Key 应为 1 到 255 个普通字符；提交时不带令牌的，至少 22 个
problem-idempotency-key-reused = 这个 Idempotency-Key 已用于另一个请求
problem-version-needed = 请在 If-Match 里写明您读到的版本
problem-version-malformed = If-Match 应为 ETag，例如 "3"
problem-visitor-malformed = X-Onetrip-Visitor 应为 22 到 128 个字母、数字、- 或 _

err-fault-missing = 这一项要填写
err-fault-too-long = 请缩短到 { $max } 个字以内
err-fault-unknown = 没有这个选项
err-fault-phone = 请检查电话号码，例如 138 0013 8000 或 0755-8888 8888
err-fault-street = 请选到街道或社区
err-fault-too-many = 最多 { $max } 个
err-fault-too-many-waiting = 待用的照片太多了，请先使用或撤回一些
err-fault-unknown-field = 这里没有这个名称的项
err-fault-shape = 格式不对，具体位置见 detail
