# Words that the endpoints put together: who did it, what a list shows.
status-offered = 已提请其他单位接手

# Names a photo for those who cannot see it.
photo-n = 照片 { $n }

# Who did an event of the timeline, where it is not an office.
by-resident = 居民
by-service = 系统
by-supervisor = 督办

# Stands where words were deleted by erasing their key.
text-erased = (内容已应本人要求删除)
ledger-refiling = 办结后同一事项再次提交
err-fill-in = 请填写

# Headings of the lists behind the numbers of the board.
list-submitted = 收到的诉求件
list-open = 在办
list-open-overdue = 在办且超期
list-contact-due = 联系时限已到
list-contact-met = 按时联系
list-contact-missed = 未按时联系
list-result-due = 办理时限已到
list-result-met = 按时办结
list-result-missed = 未按时办结
list-closed = 已办结
list-closed-run-once = 一次办成
list-closed-with-breach = 办结但违反只跑一次
list-concluded = 首次办结或重办
list-reopened = 重办
list-asked = 请居民评价
list-rated = 已评价
list-satisfied = 满意
list-dissatisfied = 不满意
list-solved = 居民认为已解决
list-not-solved = 居民认为未解决

# 表单已经不在时，上面写过的内容。
unsent-title = 您写的内容，没有提交
photos-kept = 已经收到的照片

merged-photo = 本件与同一事项的其他诉求件合并办理；现场照片（如有）保存在合并办理的诉求件中。
merged-by-resident = 提交时选了“同一件事”，与那件一起办理。
merged-lead-ended = 合并办理的诉求件没有办理结果即已终结，本件恢复单独办理。
