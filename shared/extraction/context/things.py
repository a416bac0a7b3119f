"""What else people measure in hours and minutes: things that last, and stuff that is counted in time."""

from shared.extraction.wordlist import words

LASTING = words(
    """
        recording video videos film tape clip movie episode podcast course class window delay deadline period
        break recess drive walk ride queue extension rule hold slot block blocks timer parking sale interval
        intervals turnaround mark training lead wait gap response cooling grace stay layover adjournment
        presentation tour lunch exam test workout run massage bus stopover voicemail show game match flight
        train loop statute average backup outage job curfew emergency version footage audio segment segments
        meter webinar seminar reminder marathon concert sla timeout limit warranty trial_period lead_time
        response_time voice_mail bus_ride time_slot test_drive session_limit nap detour cutoff cut_-_off sprint
        rotation shuttle ferry tutorial lecture lesson rehearsal commute playlist song speech keynote demo quiz
        vigil
        """
)
MADE_OF = words(
    """
        leave vacation pto overtime sleep training class classes cle credit notice footage video tape audio rest
        downtime delay daylight sunlight battery parking therapy community coursework cpd sick holiday
        instruction playtime tv music content film runtime driving fun material operation storage recordings
        service fame freedom exercise free rain practice volunteer delays flight airtime course the_day
        every labor labour paid unpaid lead buffer silence traffic lectures homework reading_tops transcription
        consulting support uptime usage talk_time screen_time production machine
        """
)
SCHEDULED = words(
    """
        week weeks workweek day days shift shifts flight commute service support line fitness clock news
        delivery turnaround coverage operation operations hotline emergency gym access
        """
)
STATISTICS = frozenset(
    words(
        """
        avg average averages averaged mean median total_avg percentile kpi metric metrics rating score
        throughput latency sla handle target benchmark quota defects uptime units_shipped
        """
    )
)
SOMEWHERE = words(
    """
        on_hold of_it_on_hold in_traffic in_line in_the_car at_the_airport at_the_gate on_the_tarmac
        in_the_waiting_room at_home_depot at_the_store at_the_gym at_the_dentist in_the_cafe in_bed at_the_beach
        at_church at_school at_the_dmv in_the_garden in_the_er at_the_doctor's in_the_emergency_room
        on_the_beach at_the_mall at_lunch at_dinner in_the_kitchen in_the_gym
        """
)
