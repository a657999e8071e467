# Pages for residents. Plain and warm: "you" is the resident, "we" is the city. No officialese.

home-title = Say it once
# The one sentence that says what the service is.
home-hero = Say it once. We see it through.
home-lead = Report a problem, make a suggestion, or ask for a public hearing. No account, no running around.
# The three kinds of case. "Appeal" is 诉求: something to be put right, a question, or a complaint.
kind-appeal = Appeal
kind-suggestion = Suggestion
kind-hearing-request = Hearing request
kind-hint-appeal = Ask something, get help, or complain
kind-hint-suggestion = Say how the city could work better
kind-hint-hearing-request = Ask for a public hearing on a major matter

follow-title = Follow my case
follow-hint = All you need is your number and your secret. No sign-in.
follow-number = Case number
# The secret is a code of 24 characters that opens the case together with its number.
follow-secret = Secret
follow-secret-hint = The 24 letters and digits you got when you sent it. Capitals and spaces don't matter.
follow-submit = Look it up
follow-lost-title = Lost your secret?
follow-lost-text = If you left a phone number, call us from it and we'll give you a new secret. If you stayed unnamed we can't tell that it's you, and you would have to send it again.

how-title = How it works
how-1-title = You say it once
how-1-text = What it is, where it is, how to reach you: about a minute and a half. A wrong door is our problem, never yours.
how-2-title = We see to it
how-2-contact = { $hours ->
    [one] Your contact cadre gets in touch within { $hours } hour, weekends and holidays included.
   *[other] Your contact cadre gets in touch within { $hours } hours, weekends and holidays included.
}
how-2-caption = You get a result within
how-2-help = Help or suggestion
how-3-title = You are the judge
how-3-text = { $days ->
    [one] For { $days } day after the result you can say whether it's solved. If it isn't, it is done again.
   *[other] For { $days } days after the result you can say whether it's solved. If it isn't, it is done again.
}
# The run-once rule in one sentence.
how-promise = From start to finish: at most one trip, at most one request for papers, and never for something we already have.

# Short names in the step indicator.
step-what = What
step-where = Where
step-contact = Contact
step-check = Check
what-title-appeal = What happened?
what-title-suggestion = What do you suggest?
what-title-hearing-request = What should be heard?
what-label-appeal = Tell us about it
what-label-suggestion = Your suggestion
what-label-hearing-request = The matter, and why it should be heard
what-hint-appeal = What, when, and what you would like done. Write it the way you would say it.
what-hint-suggestion = How it is now, how it should be, and who would gain.
what-hint-hearing-request = A project, a charge, a plan. Say who it affects.
notice-short = Only the people who work on this matter can read it.
notice-short-link = How we use your data
chars-max = Up to { $max } characters
# Asked only where the same matter of the same resident has had its final review (复核).
new-fact-label = What is new since the final review?
new-fact-hint = For example: it has happened again, or there is something that nobody knew then. Without anything new the final review stands.
category-label = What is it about?
photo-label = Photos
photo-hint = Up to { $max }. Where and when they were taken is removed.
photo-choose = Choose photos
photo-upload = Upload
# $name is the description of a photo, such as "Photo 1".
photo-remove = Remove { $name }

where-title = Where is it?
where-lead = Knowing the street district is enough. The more you tell, the faster we find it.
# A 街道 is the third tier of the city, not a road.
street-label = Street district
communities-show = Show communities
community-label = Community
community-unknown = Not sure
place-label = The exact spot
place-hint = A road, a house number, a building, or words like "outside the supermarket".
whole-city = It's about the whole city, not one place

contact-title = How can we reach you?
contact-lead = Whoever works on it talks to you first, so that the right thing gets done.
phone-label = Phone number
phone-hint = Only for the people on this case. It doesn't travel along when the case is passed on.
name-label = Your name
unnamed-label = I'd rather stay unnamed
unnamed-hint = Your case is handled all the same, but we can't call you or notify you. You follow it with your number and secret, and a lost secret can't be replaced.

check-title = Check your answers
kept-title = What we keep
kept-words = Your words and the place: seen by the office that handles it. After it ends only counts remain.
kept-contact = Your name and phone: kept apart and encrypted, seen only by the cadre who contacts you.
kept-unnamed = You stay unnamed. We don't record your network address either.
kept-photos = Photos: made anew, without time and place.
kept-more = Your rights, in full

# Open cases of other people near the place, told without who, what words and where exactly.
with-title = Has somebody reported the same already?
with-hint = If it is one of these, yours can be handled with it. You keep your own number and secret, get your own answer, and rate it yourself.
with-none = None of these: handle mine on its own
# $when is a date.
with-filed = Reported on { $when }
progress-received = received
progress-handling = being handled
err-with = This one is no longer open. Choose another, or have yours handled on its own

submitted-title = We've got it
# $office is the name of an office, usually in Chinese.
submitted-text = { $office } has it and stays responsible from now on.
submitted-late = Your case is filed. Who has it and what happens next will appear here shortly; reload this page in a moment.
submitted-with-another = It's handled together with the report of the same matter that you chose. You get your own answer under your own number.
# Shown when the same resident files the same matter again while it is open.
joined-title = This is already being handled
joined-text = You told us about this before and it's still open. What you wrote now has been added to it, so you don't have to start over.
joined-secret = Use the secret you already have to follow it.
case-number = Case number
secret-name = Secret
secret-keep = Write the secret down now. It's shown only this once, and nobody can look it up for you.
secret-gone = The secret was shown once, when you sent it. It can't be shown again.
next-title = What happens next
next-receipt = The street accepts it and tells you who handles it
next-contact = Your contact cadre gets in touch
next-contact-unnamed = Your contact cadre starts following it. You left no phone, so please look here
next-result = You get the result in writing, with its grounds
after-title = At any time you can
after-follow = See where it is, add something, or withdraw it:
after-follow-link = open this case
after-rate = { $days ->
    [one] Rate the result within { $days } day. If it isn't solved, have it done again.
   *[other] Rate the result within { $days } days. If it isn't solved, have it done again.
}
receipt-text = Keep your proof: this file shows anybody, even without us, that your case was filed and when; a change to it afterwards would not go unnoticed. It is complete about a minute after filing: download it then.
receipt-link = download the receipt
after-help = Call { $phone } and give the number.
after-rights = See, correct or delete your data:
after-rights-link = your rights

case-title = Case { $number }
status-label = Where it is now
holder-label = Who has it now:
trip-title = Please come by once
trip-only = This is the only time. Asked on
materials-title = We need something from you
materials-text = Please hand it all over by { $when }. We won't ask again. If you can't find something, that's all right: your case stays open.
materials-words = In words
materials-photo = Or a photo
materials-more = Anything else
materials-send = Hand it over
result-title = The result
result-no-photo = There is no photo of the place afterwards, because:
rate-title = Is it solved?
rate-text = You can rate it until { $when }. A rating can't be changed afterwards, by anybody.
rate-verdict = Is the matter solved?
verdict-solved = Solved
verdict-partly = Partly
verdict-not-solved = Not solved
rate-score = How satisfied are you?
# The national scale of five.
score-5 = Very satisfied
score-4 = Satisfied
score-3 = Fairly satisfied
score-2 = Dissatisfied
score-1 = Very dissatisfied
rate-reason = Why
rate-reason-hint = If it is not solved, please say what is missing. It will be done again.
rate-send = Send my rating
rated-title = Your rating
# $score is 1 to 5, $words what it means.
rated-score = { $score } of 5, { $words }
reopen-title = Have it done again
reopen-text = Until { $when } you can have it done again. Its history stays.
reopen-reason = What isn't solved yet?
reopen-send = Have it done again
timeline-title = What has happened
# The run-once rule and its ledger for one case.
ledger-title = One trip at most
ledger-text = What we have asked of you in this matter.
ledger-used = { $used } of { $limit }
ledger-trips = Trips asked of you
ledger-requests = Requests for papers
ledger-held = Asked for what we have
ledger-handovers = Passed on with no taker
mine-title = What you told us
case-more = You can also
supplement-title = Add something
supplement-words = What would you like to add?
supplement-send = Add it
withdraw-title = Withdraw this case
withdraw-text = It won't be handled any further. Its history can still be seen.
withdraw-reason = Why are you withdrawing it?
withdraw-send = Withdraw it
case-leave = Close this case
case-leave-hint = On a shared phone or computer, close it when you're done.

# Said once after something was done.
done-supplement = We've got your addition.
done-materials = Handed over. Thank you.
done-rated = Thank you for your rating.
done-reopened = It will be done again, and its history stays.
done-withdrawn = The case is withdrawn.
done-pending = Received. It's still being filed; please reload in a moment.

privacy-title = Your data
privacy-lead = We ask only for what the matter needs. Leave out anything optional and it's handled all the same.
privacy-what-title = What we keep
privacy-col-what = What
privacy-col-why = Why
privacy-col-who = Who sees it
privacy-contact-what = Name, phone
privacy-contact-why = To check the facts with you and tell you the result
privacy-contact-who = The cadre who contacts you
privacy-words-what = Your words and the place
privacy-words-why = To handle the matter
privacy-words-who = The handling office; never a person or office you complain about
privacy-photos-what = Photos
privacy-photos-why = To see the place
privacy-photos-who = The handling office; time and place are removed
privacy-not-title = What we don't do
privacy-not-1 = We don't record your network address or device, and there is no one else's tracking here.
privacy-not-2 = We don't pass on who you are together with what you said.
privacy-not-3 = We don't keep files or scores on people who speak up.
privacy-rights-title = Your rights
privacy-rights-text = Under the Personal Information Protection Law you can:
privacy-right-see = see and copy what we keep of you, and ask who has looked;
privacy-right-correct = have mistakes corrected;
privacy-right-erase = have it deleted where the law allows: your words become unreadable for everybody, while the fact that there was a case, and its dates, can still be checked.
privacy-how = With your number and secret, call { $phone } or go to a street service centre.

# Messages beside fields. Each says what to do, never just "invalid".
err-text-empty = Write what it's about
err-text-long = Shorten this to { $max } characters
err-new-fact = This matter has had its final review. It is taken again if something is new: say what
err-category = Choose what it's about
err-street = Choose a street district
err-place-long = Shorten the place to { $max } characters
err-phone-empty = Leave a phone number, or tick "I'd rather stay unnamed"
err-phone = Check the phone number, for example 138 0013 8000 or 0755-8888 8888
err-name-long = Shorten the name to { $max } characters
err-photo-kind = Choose a photo (JPEG, PNG or WebP)
err-photo-large = This photo is too large. Choose one under 12 MB
err-photo-many = Up to { $max } photos. Remove some first
err-photo-broken = This photo can't be opened. Choose another
err-number = Check the number: it has 12 digits
err-secret-empty = Enter your secret
err-lookup = This number and secret don't belong together. Check both and try again
err-verdict = Say whether it's solved
err-score = Choose how satisfied you are
err-reason = Say why
err-words = Write a few words
err-choose = Choose one
err-reached = Say whether you reached the resident
err-items = Choose at least one thing
err-place-proof = Add a photo of the place afterwards, or say why there is none
err-sign-in = This name and password don't belong together. Check both and try again

# Reviews, whose the time was, why a date.
done-review-asked = We have your request. An office a tier up will look at it.
review-title = Not satisfied with the result? Ask for a review
review-text = You can ask up to the end of { $when }. An office a tier up looks at it again and answers within { $days } days.
# Shown where the result can still be rated.
review-instead = To have it done again, rate it "not solved" above. Once you ask for a review, you can no longer rate it or have it done again.
final-review-title = Still not satisfied? Ask for a final review
final-review-text = You can ask up to the end of { $when }. This is the last look; you get an answer within { $days } days.
review-reason = What you disagree with
review-send = Ask for it
held-title = Who has had it, and how long
held-text = From sending it until now, all of the time belongs to somebody.
proof-why = Why this date?
